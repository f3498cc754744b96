"""What is news for a channel is given to it; what is old is kept as skipped."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from signals_app.market.calendar import milliseconds
from signals_app.models import Decision
from trades_app.models import Channel, ChannelDelivery, Message
from trades_app.notifications import routing

pytestmark = pytest.mark.django_db
WEEK = timedelta(weeks=1)


@pytest.fixture(autouse=True)
def _bot(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = "123456:TOKEN"


def put(key: str = "x", *, event_age: timedelta = timedelta(0), **columns: object) -> Message:
    happened_at = timezone.now() - event_age
    return Message.objects.create(
        key=key, kind="TRADE", instrument="XAUUSD", text="x", happened_at=happened_at, **columns
    )


def channel(**columns: object) -> Channel:
    opened_at = timezone.now() - timedelta(days=1)
    return Channel.objects.create(chat="@gold", **({"opened_at": opened_at} | columns))


def statuses() -> set[str]:
    return set(ChannelDelivery.objects.values_list("status", flat=True))


def test_each_message_is_given_to_its_channels_once() -> None:
    channel()
    put()

    assert (routing.route(), routing.route()) == (1, 0)
    assert statuses() == {"WAITING"}


def test_a_replay_into_a_channel_that_was_there_before_is_sent() -> None:
    channel()
    put(event_age=WEEK)

    routing.route()

    assert statuses() == {"WAITING"}


def test_history_that_a_live_feed_catches_up_with_is_not_news() -> None:
    channel()
    close = timezone.now() - 3 * WEEK
    live = Decision.objects.create(
        instrument="XAUUSD", close_time_ms=milliseconds(close), entry_ordinal=1
    )
    Decision.objects.filter(pk=live.pk).update(created_at=close + timedelta(seconds=1))
    put(event_age=WEEK)

    routing.route()

    assert statuses() == {"SKIPPED"}
    assert Message.objects.get().status == "SKIPPED"


def test_what_was_put_in_before_the_channel_counts_by_its_events_time() -> None:
    put("old", event_age=WEEK)
    put("new")
    channel(opened_at=None)

    routing.route()

    found = dict(ChannelDelivery.objects.values_list("message__key", "status"))
    assert found == {"old": "SKIPPED", "new": "WAITING"}


def test_a_message_waits_for_a_channel_for_as_long_as_it_is_news() -> None:
    channel(audience="OPERATORS")
    put()
    routing.route()
    assert Message.objects.get().status == "WAITING"

    Message.objects.update(created_at=timezone.now() - WEEK)
    routing.route()
    message = Message.objects.get()
    assert (message.status, message.error) == ("SKIPPED", routing.NO_CHANNEL)


def test_age_limits_are_set_by_kind(settings: Settings) -> None:
    settings.MESSAGE_AGE_MINUTES = {"SIGNAL": 15, "TRADE": 120}

    assert routing.too_old("SIGNAL").startswith("Older than 15 min ")
    assert routing.too_old("TRADE").startswith("Older than 2 h ")


def test_a_thousand_messages_are_given_in_batches_with_few_queries(
    django_assert_max_num_queries: object,
) -> None:
    channel()
    Message.objects.bulk_create(
        Message(key=f"k{n}", kind="TRADE", instrument="XAUUSD", text="x") for n in range(1200)
    )

    with django_assert_max_num_queries(40):  # type: ignore[operator]
        assert routing.route() == 1200
