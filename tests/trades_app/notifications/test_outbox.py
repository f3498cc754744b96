"""Messages are put in once with what happened, claimed by one worker and settled."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from signals_app.models import Signal
from tests.trades_app.examples import CLOSE_MS
from trades_app.models import Message
from trades_app.notifications import outbox
from trades_app.notifications.channels import Channels
from trades_app.notifications.content.alerts import ConnectorHeard, FeedFlowing, FeedStale
from trades_app.notifications.outbox import Draft, Subject

pytestmark = pytest.mark.django_db

STALE = FeedStale(symbol="XAUUSD", quiet_seconds=360, last_tick_ms=CLOSE_MS)
EVERYWHERE = Channels({"XAUUSD": "@gold"}, "@operators")


def put(key: str, data: object = STALE, subject: Subject | None = None) -> bool:
    subject = subject or Subject.for_operators("XAUUSD")
    return outbox.put(Message.Kind.ALERT, subject, key, data)


def keys() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("key", flat=True))


def test_a_row_holds_what_happened_and_no_text() -> None:
    put("alert:1")

    row = Message.objects.get()
    assert (row.kind, row.instrument, row.addressee) == ("ALERT", "XAUUSD", "OPERATORS")
    assert (row.text, row.digest, row.status) == ("", "", "WAITING")
    assert row.data == {
        "alert": "FEED_STALE",
        "symbol": "XAUUSD",
        "quiet_seconds": 360,
        "last_tick_ms": CLOSE_MS,
    }


def test_a_digest_gets_a_column_of_its_own() -> None:
    put("report:1", {"digest": "ab" * 32, "period": "day"})

    row = Message.objects.get()
    assert (row.digest, row.data) == ("ab" * 32, {"period": "day"})


def test_a_repeated_key_is_left_out() -> None:
    assert put("alert:1") is True
    assert put("alert:1", FeedFlowing(symbol="XAUUSD", stale_seconds=1)) is False

    subject = Subject.for_operators("XAUUSD")
    again, new = (Draft(Message.Kind.ALERT, subject, f"alert:{n}", STALE) for n in (1, 2))
    outbox.put_all([again, new])

    assert keys() == ["alert:1", "alert:2"]
    assert Message.objects.get(key="alert:1").data["alert"] == "FEED_STALE"
    assert outbox.known(["alert:2", "alert:3"]) == {"alert:2"}


def test_what_is_put_in_wakes_the_delivery_once_it_is_committed(
    settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    settings.TELEGRAM_BOT_TOKEN = "123456:TOKEN"
    with patch("celery.app.task.Task.apply_async") as sent:
        with django_capture_on_commit_callbacks(execute=True):
            put("alert:1")
            assert not sent.called
        assert sent.call_count == 1
        with django_capture_on_commit_callbacks(execute=True):
            put("alert:1")
        assert sent.call_count == 1
        settings.TELEGRAM_BOT_TOKEN = ""
        outbox.wake()
        assert sent.call_count == 1


def test_the_oldest_message_with_a_chat_is_claimed_once(signal: Signal) -> None:
    put("trade:1", subject=Subject.of_signal(signal))
    put("alert:1")

    only_followers = Channels({"XAUUSD": "@gold"}, "")
    first = outbox.claim(only_followers)
    assert first is not None
    assert (first.key, first.attempts) == ("trade:1", 1)
    assert outbox.claim(only_followers) is None
    second = outbox.claim(EVERYWHERE)
    assert second is not None
    assert second.key == "alert:1"


def test_a_message_waits_for_those_before_it_of_its_signal(signal: Signal) -> None:
    put("signal:1", subject=Subject.of_signal(signal))
    put("trade:1", subject=Subject.of_signal(signal))

    first = outbox.claim(EVERYWHERE)
    assert outbox.claim(EVERYWHERE) is None
    outbox.settle_sent(first, 7)

    first.refresh_from_db()
    assert (first.status, first.telegram_message_id, first.claimed_at) == ("SENT", 7, None)
    assert outbox.claim(EVERYWHERE).key == "trade:1"


def test_each_attempt_waits_twice_as_long_and_at_most_ten_minutes() -> None:
    put("alert:1")
    waited = []
    for _ in range(11):
        Message.objects.update(not_before=timezone.now())
        waited.append(outbox.settle_later(outbox.claim(EVERYWHERE), "Bad Gateway"))

    assert waited == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
    row = Message.objects.get()
    assert (row.status, row.error, row.claimed_at) == ("WAITING", "Bad Gateway", None)
    assert row.not_before > timezone.now() + timedelta(minutes=9)
    assert outbox.claim(EVERYWHERE) is None


def test_what_failed_is_sent_again_when_an_operator_says_so() -> None:
    put("alert:1")
    outbox.settle_failed(outbox.claim(EVERYWHERE), "Chat not found")
    put("alert:2", ConnectorHeard(connector="mt5"))
    outbox.settle_sent(outbox.claim(EVERYWHERE), 1)
    assert outbox.claim(EVERYWHERE) is None

    assert outbox.send_again(Message.objects.all()) == 1

    row = outbox.claim(EVERYWHERE)
    assert (row.key, row.attempts, row.error) == ("alert:1", 1, "")


def test_a_claim_is_given_back_when_its_worker_must_have_died() -> None:
    put("alert:1")
    outbox.claim(EVERYWHERE)

    assert outbox.release_lost_claims() == 0
    Message.objects.update(claimed_at=timezone.now() - outbox.CLAIM_EXPIRES)
    assert outbox.release_lost_claims() == 1
    assert outbox.claim(EVERYWHERE) is not None
