"""Operators get one alert that the market is not heard, and one that it is again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from signals_app.market import calendar
from signals_app.models import Connector, ConnectorEvent, StreamPosition
from signals_app.pipeline import stream
from tests.trades_app.rows import stored_trade
from trades_app.models import Message, Trade
from trades_app.notifications.feed_watch import watch_feed
from trades_app.notifications.kinds import text_of

pytestmark = pytest.mark.django_db

#: A Wednesday morning.
NOON = datetime(2024, 1, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def memory(redis_client: Redis) -> Iterator[None]:
    stream.connection.cache_clear()
    yield
    stream.connection.cache_clear()


def tick_at(moment: datetime, ordinal: int) -> None:
    StreamPosition.objects.update_or_create(
        instrument="XAUUSD",
        defaults={"ordinal": ordinal, "time_ms": calendar.milliseconds(moment)},
    )


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def codes() -> list[str]:
    return list(ConnectorEvent.objects.order_by("pk").values_list("code", flat=True))


def test_an_outage_has_one_alert_and_its_end_another() -> None:
    tick_at(NOON, 100)
    for later in (0, 4, 6, 7, 30):
        watch_feed(NOON + minutes(later))
    assert codes() == ["FEED_STALE"]

    # Two hours later the missed ticks come, and the alert stands until the clock is reached.
    tick_at(NOON + minutes(60), 150)
    assert watch_feed(NOON + minutes(120)) == 0
    tick_at(NOON + minutes(120), 200)
    for later in (120, 121):
        watch_feed(NOON + minutes(later))

    assert codes() == ["FEED_STALE", "FEED_FLOWING"]
    stale, flowing = Message.objects.order_by("pk")
    assert (stale.kind, stale.key) == ("ALERT", "alert:stale:XAUUSD:100")
    assert text_of(stale).startswith("⚠️ XAUUSD: no tick for 6 min while the market is open.")
    assert text_of(flowing).startswith("✅ XAUUSD: ticks flow again")

    for later in (122, 127):
        watch_feed(NOON + minutes(later))
    assert codes() == ["FEED_STALE", "FEED_FLOWING", "FEED_STALE"]


@pytest.mark.parametrize(
    "last_tick",
    [
        pytest.param(datetime(2024, 1, 12, 21, 59, tzinfo=UTC), id="weekend"),
        pytest.param(datetime(2024, 1, 10, 21, 59, tzinfo=UTC), id="daily pause"),
    ],
)
def test_a_closed_market_is_no_outage(last_tick: datetime) -> None:
    tick_at(last_tick, 100)
    for later in range(0, 60, 5):
        watch_feed(last_tick + minutes(later))

    assert codes() == []


def test_a_replay_that_ends_is_no_outage() -> None:
    tick_at(NOON - timedelta(days=300), 100)
    for later in (0, 30):
        watch_feed(NOON + minutes(later))

    assert codes() == []


def test_a_silent_connector_of_a_live_feed_has_one_alert() -> None:
    connector = Connector.objects.create(name="mt5", symbols=["XAUUSD"], last_seen=NOON)
    Connector.objects.create(name="old", symbols=["XAUUSD"], last_seen=NOON, is_revoked=True)
    for later in (0, 6, 12):
        tick_at(NOON + minutes(later), later)
        watch_feed(NOON + minutes(later))
    assert codes() == ["CONNECTOR_SILENT"]

    connector.last_seen = NOON + minutes(13)
    connector.save()
    for later in (13, 14):
        tick_at(NOON + minutes(later), later)
        watch_feed(NOON + minutes(later))

    assert codes() == ["CONNECTOR_SILENT", "CONNECTOR_HEARD"]
    assert text_of(Message.objects.first()) == (
        "⚠️ Connector mt5 is silent for 6 min; it was last heard at 2024-01-10T12:00:00Z."
    )


def open_trade(**columns: object) -> Trade:
    """A trade that runs, entered at noon."""
    trade = stored_trade()
    Trade.objects.filter(pk=trade.pk).update(entry_time=NOON, **columns)
    return trade


def overdue() -> list[str]:
    return [text_of(found) for found in Message.objects.filter(key__startswith="alert:overdue")]


def test_a_trade_that_is_past_its_time_without_a_tick_has_one_alert() -> None:
    open_trade(expires_at=NOON + minutes(60))
    tick_at(NOON, 100)
    for later in (0, 30, 60, 64):
        watch_feed(NOON + minutes(later))
    assert overdue() == []

    for later in (65, 66, 600):
        watch_feed(NOON + minutes(later))

    (text,) = overdue()
    assert text == (
        "⚠️ XAU_20240105_001 is still open: it expired at 2024-01-10T13:00:00Z, and no tick of "
        "XAUUSD was used since 2024-01-10T12:00:00Z. It closes at the first one that comes."
    )
    assert Trade.objects.get().is_open


def test_an_order_to_close_that_finds_no_tick_has_one_alert() -> None:
    open_trade(close_after_ordinal=100, close_from=NOON + minutes(10))
    tick_at(NOON, 100)
    for later in (0, 14, 15, 16):
        watch_feed(NOON + minutes(later))

    (text,) = overdue()
    assert "it was ordered to close at 2024-01-10T12:10:00Z" in text


def test_a_trade_that_expires_at_the_weekend_waits_for_the_market_in_silence() -> None:
    friday = datetime(2024, 1, 12, 21, 59, tzinfo=UTC)
    open_trade(expires_at=friday + minutes(600))
    tick_at(friday, 100)
    for hours in (0, 12, 24, 48):
        watch_feed(friday + timedelta(hours=hours))
    assert overdue() == []

    # Monday comes, and no tick with it.
    watch_feed(friday + timedelta(hours=60))
    assert len(overdue()) == 1


def test_a_trade_of_a_replay_is_never_overdue() -> None:
    open_trade(expires_at=NOON + minutes(60))
    tick_at(NOON, 100)

    watch_feed(NOON + timedelta(days=300))

    assert overdue() == []


def test_what_a_connector_reports_is_passed_on_once() -> None:
    ConnectorEvent.objects.create(
        connector="mt5-backup",
        code="PROMOTED",
        instrument="XAUUSD",
        message="mt5-primary is silent",
    )
    ConnectorEvent.objects.create(connector="mt5-backup", code="BAD_TICK", instrument="XAUUSD")

    assert watch_feed(datetime.now(UTC)) == 1
    assert watch_feed(datetime.now(UTC)) == 0

    (alert,) = Message.objects.filter(kind=Message.Kind.ALERT)
    assert text_of(alert) == "🔁 PROMOTED XAUUSD (mt5-backup): mt5-primary is silent"
