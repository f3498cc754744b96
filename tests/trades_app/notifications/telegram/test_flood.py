"""The flood law holds for all processes, and a pause holds up its chat for each of them."""

import threading
import time
from collections import Counter

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from trades_app.models import CallWindow
from trades_app.notifications.telegram import flood

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rates(settings: Settings) -> None:
    settings.TELEGRAM_CHAT_SECONDS = 1.0
    settings.TELEGRAM_CHAT_PER_MINUTE = 3
    settings.TELEGRAM_BOT_PER_SECOND = 5


def age(chat: str, *seconds: float) -> None:
    """Let a chat have been called so many seconds ago."""
    now = flood._now()
    CallWindow.objects.update_or_create(key=chat, defaults={"calls": [now - s for s in seconds]})


def test_a_chat_has_one_place_a_second() -> None:
    assert flood.acquire("@gold") == 0
    assert 0.8 < flood.acquire("@gold") <= 1.05
    assert flood.acquire("@silver") == 0


def test_a_second_is_counted_from_the_end_of_a_call() -> None:
    flood.acquire("@gold")
    age("@gold", 5)
    flood.finish("@gold")

    assert flood.acquire("@gold") > 0.8


def test_a_chat_has_so_many_places_a_minute() -> None:
    age("@gold", 50, 30, 10)
    assert 9 < flood.acquire("@gold") < 11
    age("@gold", 61, 30, 10)
    assert flood.acquire("@gold") == 0


def test_the_bot_has_so_many_places_a_second() -> None:
    assert [flood.acquire(f"@chat{n}") for n in range(5)] == [0] * 5
    assert 0 < flood.acquire("@another") < 1.1


def test_a_pause_holds_up_its_chat_alone_and_a_longer_one_stays() -> None:
    flood.halt("@gold", 30)
    flood.halt("@gold", 5)

    assert 29 < flood.acquire("@gold") < 31
    assert flood.acquire("@silver") == 0
    flood.halt(flood.BOT, 7)
    assert 6 < flood.acquire("@silver") < 8


def test_a_call_under_another_name_is_counted() -> None:
    flood.spend("-1001")

    assert flood.acquire("-1001") > 0.8


@pytest.mark.django_db(transaction=True)
def test_processes_that_ask_at_once_share_the_places(settings: Settings) -> None:
    settings.TELEGRAM_CHAT_SECONDS = 0.3
    got: Counter[str] = Counter()
    ends_at = time.monotonic() + 1.0

    def ask() -> None:
        while time.monotonic() < ends_at:
            if flood.acquire("@gold") == 0:
                got["places"] += 1
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Three a minute, though one each 0.3 seconds were allowed.
    assert got["places"] == 3
