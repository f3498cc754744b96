"""A channel is validated as it is entered, and says what it sends and how loud."""

from datetime import UTC, datetime, time

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from trades_app.models import Channel

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_a_chat_is_put_right_or_refused() -> None:
    channel = Channel(chat="https://t.me/gold ")
    channel.full_clean()
    assert channel.chat == "@gold"

    with pytest.raises(ValidationError, match="names no Telegram chat"):
        Channel(chat="gold!").full_clean()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"quiet_from": time(22)}, "a beginning and an end"), ({"timezone": "Mars"}, "no time zone")],
)
def test_quiet_hours_are_whole_and_of_a_known_clock(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Channel(chat="@gold", **wrong).full_clean()


def test_a_chat_is_there_once_and_each_of_its_topics_too() -> None:
    for topic in (None, 7):
        Channel.objects.create(chat="@gold", topic_id=topic)
        with pytest.raises(IntegrityError), transaction.atomic():
            Channel.objects.create(chat="@gold", topic_id=topic)


@pytest.mark.parametrize(
    ("sends", "silent"), [("LOUD", False), ("DAYTIME", True), ("SILENT", True)]
)
def test_the_sound_follows_kind_and_hour(sends: str, silent: bool) -> None:
    quiet = {"quiet_from": time(11), "quiet_until": time(13)}
    assert Channel(chat="@gold", trades=sends, **quiet).is_silent("TRADE", NOON) is silent


def test_outside_quiet_hours_there_is_sound() -> None:
    assert not Channel(chat="@gold", signals="DAYTIME").is_silent("SIGNAL", NOON)
