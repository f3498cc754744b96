"""The contract's table of failures is what happens: each of its rows is made to happen."""

import itertools
import os
import signal as signals
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from signals_app.models import Signal
from tests.paths import ROOT
from tests.stand_ins.telegram_api import Chat, Fault, TelegramApi
from trades_app.models import Channel, ChannelDelivery, Message
from trades_app.notifications import channels, delivery, lanes

pytestmark = pytest.mark.django_db
PAGE = ROOT / "docs" / "operations" / "delivery.md"
_STATUS_IN_DOUBT = {1: "SENT", 2: "SENT", 3: "UNCONFIRMED"}


def rows(page: Path = PAGE) -> dict[str, tuple[str, int, str]]:
    """The table: failure → outcome, copies in the chat at the end, when it is sent again."""
    lines = page.read_text().partition("| failure |")[2].splitlines()[2:]
    table = itertools.takewhile(lambda line: line.startswith("|"), lines)
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table]
    return {name: (outcome, int(copies), again) for name, outcome, copies, again in cells}


def is_send(method: str, arguments: Any) -> bool:
    return method == "sendMessage"


def fault(**options: Any) -> Callable[[TelegramApi, Settings], None]:
    times = options.pop("times", 1)

    def happen(api: TelegramApi, settings: Settings) -> None:
        api.faults = [Fault(matches=is_send, **options) for _ in range(times)]

    return happen


def chat(**options: Any) -> Callable[[TelegramApi, Settings], None]:
    def happen(api: TelegramApi, settings: Settings) -> None:
        api.chats = {"@gold": Chat(-1001, **options), "@new": Chat(-1005)}

    return happen


def no_connection(api: TelegramApi, settings: Settings) -> None:
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"


def no_chat(api: TelegramApi, settings: Settings) -> None:
    api.chats = {}


def revoked(api: TelegramApi, settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = "123456:REVOKED"


def nothing(api: TelegramApi, settings: Settings) -> None:
    """What fails is not Telegram."""


FAILURES: dict[str, Callable[[TelegramApi, Settings], None]] = {
    "no connection": no_connection,
    "pool time-out": nothing,
    "answer 500": fault(status=500),
    "answer 502": fault(status=502, description="Bad Gateway"),
    "answer 429": fault(status=429, description="Too Many Requests", retry_after=1),
    "line cut before Telegram worked": fault(how="cut"),
    "line cut after Telegram accepted": fault(how="cut", accepts=True),
    "half an answer": fault(how="half", accepts=True),
    "no answer in time": fault(how="late", accepts=True, seconds=30),
    "answer 504": fault(status=504, description="Gateway Timeout"),
    "sender killed before it knew": nothing,
    "every answer lost": fault(how="cut", accepts=True, times=9),
    "content refused": fault(status=400, description="Bad Request: message is odd"),
    "too old": nothing,
    "chat not found": no_chat,
    "bot kicked": chat(bot_is="kicked"),
    "no right to post": chat(may_post=False),
    "group became a supergroup": chat(type="group", migrated_to=-1005),
    "token revoked": revoked,
}


def deliver() -> None:
    Channel.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    delivery.deliver()


def test_the_table_names_the_failures_that_are_made_to_happen() -> None:
    assert rows().keys() == FAILURES.keys()


@pytest.mark.parametrize("failure", sorted(FAILURES.keys() - {"sender killed before it knew"}))
def test_a_failure_has_the_consequence_that_the_table_says(
    failure: str, signal: Signal, telegram_api: TelegramApi, settings: Settings
) -> None:
    outcome, copies, again = rows()[failure]
    settings.TELEGRAM_TIMEOUT = 0.4
    deliver()
    channels.sync()
    Channel.objects.update(checked_at=timezone.now(), chat_id=-1001, access="OPEN")
    Message.objects.create(key="x", kind="TRADE", instrument="XAUUSD", signal=signal, text="hello")
    FAILURES[failure](telegram_api, settings)
    if failure == "too old":
        Message.objects.update(created_at=timezone.now() - timedelta(days=1))

    if failure == "pool time-out":
        with patch("httpx.AsyncClient.request", side_effect=httpx.PoolTimeout("")):
            deliver()
    else:
        deliver()

    row = ChannelDelivery.objects.get()
    assert len(telegram_api.texts()) <= 1
    match outcome:
        case "not accepted":
            assert (row.status, row.copies, telegram_api.texts()) == ("WAITING", 0, [])
        case "in doubt":
            assert (row.status, row.copies) == ("WAITING", 1)
        case "parked":
            assert (row.status, row.copies) == ("WAITING", 0)
            assert lanes.is_bot_parked() or Channel.objects.get().access == "PARKED"
        case "refused" | "skipped":
            assert row.status in again
    mend(failure, telegram_api, settings)
    for _ in range(6):
        deliver()
    assert len([text for text in telegram_api.texts() if text.startswith("hello")]) == copies
    row.refresh_from_db()
    if "never" in again:
        assert f"`{row.status}`" in again
    else:
        assert row.status == "SENT"


def mend(failure: str, api: TelegramApi, settings: Settings) -> None:
    """What the pause, or an operator, makes good."""
    settings.TELEGRAM_API_BASE_URL = api.base_url
    settings.TELEGRAM_BOT_TOKEN = api.token
    if failure == "answer 429":
        import time

        time.sleep(1.1)
    if failure == "group became a supergroup":
        channels.take_new_id(Channel.objects.get())
    elif failure in ("chat not found", "bot kicked", "no right to post"):
        api.chats = {"@gold": Chat(-1001)}


@pytest.mark.django_db(transaction=True)
def test_a_sender_that_is_killed_leaves_one_message_in_doubt(
    telegram_api: TelegramApi, settings: Settings
) -> None:
    _, copies, _ = rows()["sender killed before it knew"]
    Channel.objects.create(chat="@gold")
    Message.objects.create(key="x", kind="TRADE", instrument="XAUUSD", text="hello")
    # Accepted, and the answer is on its way when the sender dies.
    telegram_api.faults = [Fault("late", accepts=True, seconds=20, matches=is_send)]
    from django.db import connection

    connection.close()
    child = os.fork()
    if child == 0:
        delivery.deliver()
        os._exit(0)
    while not telegram_api.texts():
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
    os.kill(child, signals.SIGKILL)
    os.waitpid(child, 0)

    deliver()
    assert len(telegram_api.texts()) == 1
    Channel.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    deliver()

    assert len(telegram_api.texts()) == copies
    assert ChannelDelivery.objects.get().copies == copies
