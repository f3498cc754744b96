"""Messages are put in once with what happened, claimed by one worker and settled."""

from typing import Any
from unittest.mock import patch

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from tests.trades_app.examples import CLOSE_MS
from trades_app.models import Channel, ChannelDelivery, Message
from trades_app.notifications import outbox
from trades_app.notifications.content.alerts import FeedFlowing, FeedStale
from trades_app.notifications.outbox import Draft, Subject
from trades_app.notifications.telegram.outcomes import Accepted

pytestmark = pytest.mark.django_db

STALE = FeedStale(symbol="XAUUSD", quiet_seconds=360, last_tick_ms=CLOSE_MS)


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


def routed(*names: str) -> Channel:
    """A channel, and these messages on their way into it."""
    channel = Channel.objects.create(chat="@operators", audience="OPERATORS")
    for name in names:
        put(name)
        ChannelDelivery.objects.create(message=Message.objects.get(key=name), channel=channel)
    Message.objects.update(routed_at=timezone.now())
    return channel


def claimed(channel: Channel) -> ChannelDelivery:
    delivery = outbox.waiting(channel)
    assert delivery is not None
    assert outbox.claim(delivery)
    return delivery


def test_a_channels_oldest_message_is_claimed_once() -> None:
    channel = routed("alert:1", "alert:2")
    mine, theirs = outbox.waiting(channel), outbox.waiting(channel)
    assert mine is not None
    assert theirs is not None

    assert (outbox.claim(mine), outbox.claim(theirs)) == (True, False)
    assert (mine.message.key, mine.attempts) == ("alert:1", 1)
    assert [lost.pk for lost in outbox.lost(channel)] == [mine.pk]


def test_what_was_sent_is_summed_up_in_the_message() -> None:
    delivery = claimed(routed("alert:1"))

    outbox.settle_sent(delivery, Accepted(7))

    row = Message.objects.get()
    assert (row.status, row.telegram_message_id, row.attempts, row.error) == ("SENT", 7, 1, "")
    assert row.sent_at is not None
    delivery.refresh_from_db()
    assert (delivery.status, delivery.copies, delivery.claimed_at) == ("SENT", 1, None)


def test_a_worker_that_lost_its_claim_settles_nothing() -> None:
    channel = routed("alert:1")
    late = claimed(channel)
    outbox.settle_waiting(late, "took too long")
    again = claimed(channel)

    outbox.settle_failed(late, "refused")

    again.refresh_from_db()
    assert (again.status, again.attempts) == ("SENDING", 2)


def test_a_message_in_doubt_is_sent_again_until_it_may_stand_there_five_times() -> None:
    channel = routed("alert:1")

    outcomes = [outbox.settle_unconfirmed(claimed(channel), "no answer") for _ in range(5)]

    assert outcomes == [True, True, True, True, False]
    delivery = ChannelDelivery.objects.get()
    assert (delivery.status, delivery.copies, delivery.attempts) == ("UNCONFIRMED", 5, 5)
    assert Message.objects.get().status == "FAILED"


def test_a_mirrors_trouble_fails_no_message() -> None:
    channel = routed("alert:1")
    mirror = Channel.objects.create(chat="@mirror", audience="MIRROR")
    ChannelDelivery.objects.create(message=Message.objects.get(), channel=mirror)

    outbox.settle_failed(claimed(mirror), "kicked")
    outbox.settle_sent(claimed(channel), Accepted(7))

    assert Message.objects.get().status == "SENT"


@pytest.mark.parametrize("status", ["FAILED", "SKIPPED", "UNCONFIRMED"])
def test_what_was_not_sent_is_sent_when_an_operator_says_so(status: str) -> None:
    routed("alert:1")
    ChannelDelivery.objects.update(status=status, attempts=3, copies=3, error="old")
    Message.objects.update(status="SKIPPED" if status == "SKIPPED" else "FAILED", error="old")

    assert outbox.send_again(Message.objects.all()) == 1

    delivery = ChannelDelivery.objects.get()
    assert (delivery.status, delivery.is_forced, delivery.copies) == ("WAITING", True, 0)
    assert Message.objects.get().status == "WAITING"


def test_what_was_sent_is_not_sent_again() -> None:
    outbox.settle_sent(claimed(routed("alert:1")), Accepted(7))

    assert outbox.send_again(Message.objects.all()) == 0


def test_what_can_still_be_sent_is_counted(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = "123456:TOKEN"
    channel = routed("alert:1")
    put("alert:2")
    assert outbox.unsent() == 2

    channel.access = Channel.Access.PARKED
    channel.save()
    assert outbox.unsent() == 1
    settings.TELEGRAM_BOT_TOKEN = ""
    assert outbox.unsent() == 0
