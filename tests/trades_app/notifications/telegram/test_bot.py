"""What Telegram answers is said as: delivered, try later, or refused for good."""

import os
import subprocess
import sys

import pytest
from pytest_django.fixtures import Settings

from tests.paths import ROOT
from tests.stand_ins.telegram_api import TelegramApi
from trades_app.notifications.telegram import bot
from trades_app.notifications.telegram.bot import Delivered, Refused, TryLater


def test_a_text_is_delivered_to_its_chat_below_the_one_it_answers(
    telegram_api: TelegramApi,
) -> None:
    first = bot.send("@gold", "announcement")
    second = bot.send("@gold", "first target", reply_to=first.message_id)

    assert (first, second) == (Delivered(1), Delivered(2))
    answer = telegram_api.messages[-1001, 2]
    assert answer["reply_to_message"]["text"] == "announcement"


def test_a_text_whose_answered_message_is_gone_is_delivered_alone(
    telegram_api: TelegramApi,
) -> None:
    sent = bot.send("@gold", "first target", reply_to=99)

    assert telegram_api.texts() == ["first target"]
    assert sent == Delivered(1)


def test_a_pause_that_telegram_asks_for_is_named(telegram_api: TelegramApi) -> None:
    telegram_api.faults = [(429, "Too Many Requests: retry after 30", 30)]

    with pytest.raises(TryLater) as later:
        bot.send("@gold", "hello")

    assert later.value.seconds == 30


@pytest.mark.parametrize("status", [500, 502])
def test_an_outage_is_to_be_tried_later_whenever_the_caller_likes(
    status: int, telegram_api: TelegramApi
) -> None:
    telegram_api.faults = [(status, "Bad Gateway", None)]

    with pytest.raises(TryLater, match="Bad Gateway") as later:
        bot.send("@gold", "hello")

    assert later.value.seconds is None


def test_a_server_that_cannot_be_reached_is_to_be_tried_later(
    telegram_api: TelegramApi, settings: Settings
) -> None:
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"

    with pytest.raises(TryLater):
        bot.send("@gold", "hello")


@pytest.mark.parametrize(
    ("chat", "text", "says"),
    [("@silver", "hello", "Chat not found"), ("@gold", "x" * 4097, "is too long")],
)
def test_what_will_never_be_accepted_is_refused(
    chat: str, text: str, says: str, telegram_api: TelegramApi
) -> None:
    with pytest.raises(Refused, match=says):
        bot.send(chat, text)


def test_a_wrong_token_is_refused(telegram_api: TelegramApi, settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = "123456:WRONG"

    with pytest.raises(Refused, match="rejected by the server"):
        bot.send("@gold", "hello")


def test_there_is_no_bot_without_a_token(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""

    assert not bot.is_configured()


def test_a_process_that_sends_nothing_loads_no_telegram() -> None:
    """Loading it is a tenth of Django's start, which every command and test process pays."""
    program = "import django, sys; django.setup(); sys.exit('telegram' in sys.modules)"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "goldtrader.settings"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0
