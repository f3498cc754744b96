"""Trades moved, closed and cancelled, with the rows that go with it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from signals_app.confluence.parameters import Parameters
from signals_app.market import calendar
from signals_app.market.tick import Tick, Ticks
from signals_app.models import Decision, Signal, StreamPosition
from tests.trades_app.examples import CLOSE_MS, GOLD, SIGNAL, bids
from tests.trades_app.rows import stored_signal, stored_trade
from trades_app import models
from trades_app.lifecycle.trade import CloseOrder
from trades_app.lifecycle.transitions import InvalidTransition
from trades_app.notifications.kinds import text_of
from trades_app.trading import services

pytestmark = pytest.mark.django_db

#: Long after the example's ticks, which are a replay unless a decision was stored in time.
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def position() -> StreamPosition:
    """Gold's stream, twenty ticks long, a minute after the example's close."""
    return StreamPosition.objects.create(
        symbol="XAUUSD", ordinal=20, time_ms=CLOSE_MS + 60_000, bid=2048.0, ask=2048.2
    )


def decided(outcome: str, *, stored_after: timedelta = timedelta(milliseconds=500)) -> Decision:
    """Return the example's decision, stored so long after its close."""
    decision = Decision.objects.create(
        symbol="XAUUSD",
        close_time_ms=CLOSE_MS,
        entry_ordinal=10,
        entry_time_ms=CLOSE_MS + 400,
        entry_bid=2045.3,
        entry_ask=2045.5,
        outcome=outcome,
    )
    created_at = calendar.utc(CLOSE_MS) + stored_after
    Decision.objects.filter(pk=decision.pk).update(created_at=created_at)
    return decision


@pytest.fixture
def two_hours_later() -> Iterator[datetime]:
    """The clock says that the example's first tick after the entry was two hours ago."""
    now = calendar.utc(CLOSE_MS + 1000) + timedelta(hours=2, minutes=3)
    with time_machine.travel(now, tick=False):
        yield now


def ticks_at(seconds: int, *prices: float, first_ordinal: int = 21) -> Ticks:
    """Return ticks one second apart, the first so many seconds after the example's close."""
    ticks = bids(*prices, first_ordinal=first_ordinal)
    return replace(ticks, time_ms=ticks.time_ms + 1000 * (seconds - 1))


def kinds(trade: models.Trade) -> list[str]:
    return list(trade.events.values_list("kind", flat=True))


def test_an_operators_order_closes_a_trade_at_the_next_tick(position: StreamPosition) -> None:
    trade = stored_trade()

    services.order_close(trade.pk, NOW)
    trade.refresh_from_db()
    assert (trade.is_open, kinds(trade)) == (True, ["OPENED", "MONITORING_STARTED"])
    services.move_trades("XAUUSD", ticks_at(61, 2047.0, 2046.0))

    trade.refresh_from_db()
    assert (trade.status, trade.exit_reason) == ("TRADE_CLOSED", "CLOSED_MANUALLY")
    assert (trade.exit_price, trade.exit_ordinal) == (Decimal("2047.00000"), 21)
    assert trade.exit_time == calendar.utc(CLOSE_MS + 61_000)
    assert trade.profit_loss == Decimal("75.00")
    assert kinds(trade)[2:] == ["CLOSED_MANUALLY", "CLOSED"]
    assert Signal.objects.get().status == "CLOSED"
    message = models.Message.objects.get(key=f"trade:{SIGNAL.signal_id}:CLOSED_MANUALLY")
    assert text_of(message).startswith("✋ Closed by hand at 2,047.00")


def test_ticks_of_an_outage_do_not_fill_an_order_that_came_after_them(
    position: StreamPosition,
) -> None:
    trade = stored_trade()
    decided(Decision.Outcome.SIGNAL)
    ordered_at = calendar.utc(CLOSE_MS) + timedelta(hours=2)
    services.order_close(trade.pk, ordered_at)

    # What the connector kept meanwhile is known to the market by now.
    services.move_trades("XAUUSD", ticks_at(61, 2047.0, 2046.0))
    trade.refresh_from_db()
    assert trade.is_open
    services.move_trades("XAUUSD", ticks_at(7199, 2045.0, 2044.0, first_ordinal=23))

    trade.refresh_from_db()
    assert (trade.exit_price, trade.exit_ordinal) == (Decimal("2044.00000"), 24)
    assert trade.exit_time == ordered_at


def test_an_order_in_a_replay_holds_from_the_replays_own_time(position: StreamPosition) -> None:
    StreamPosition.objects.update(watermark_ms=CLOSE_MS + 3_600_000)

    ordered = services.order_close(stored_trade().pk, NOW)

    assert ordered.close_order == CloseOrder(after_ordinal=20, from_ms=CLOSE_MS + 3_600_000)
    assert services.order_close(models.Trade.objects.get().pk, NOW) == ordered


def test_a_trade_that_is_over_is_not_closed_again(position: StreamPosition) -> None:
    trade = stored_trade(SIGNAL, 2039.0)

    with pytest.raises(InvalidTransition, match=r"XAU_20240105_001 .* it is TRADE_CLOSED\.$"):
        services.order_close(trade.pk, NOW)

    assert kinds(trade)[-1] == "CLOSED"
    assert len(kinds(trade)) == 4


def test_a_trade_that_waits_for_its_ticks_can_be_cancelled(position: StreamPosition) -> None:
    stored_signal()
    decision = decided(Decision.Outcome.OPENING)

    services.cancel_trade(SIGNAL.signal_id)

    trade = models.Trade.objects.get()
    assert (trade.status, trade.is_open, kinds(trade)) == ("CANCELLED", False, ["CANCELLED"])
    decision.refresh_from_db()
    assert decision.outcome == Decision.Outcome.SIGNAL
    assert services.open_trade(SIGNAL.signal_id) is None
    later = Tick(30, CLOSE_MS + 900_000, 2048.0, 2048.2)
    assert services.exposure_before(GOLD, Parameters(), later).open_trades == 0


def test_an_open_trade_is_not_cancelled(position: StreamPosition) -> None:
    stored_trade()
    decided(Decision.Outcome.SIGNAL)

    with pytest.raises(InvalidTransition, match="its trade was opened"):
        services.cancel_trade(SIGNAL.signal_id)


def test_a_stop_found_after_an_outage_is_closed_at_its_tick_and_says_so(
    two_hours_later: datetime,
) -> None:
    trade = stored_trade()
    decided(Decision.Outcome.SIGNAL)

    services.move_trades("XAUUSD", bids(2039.0))

    trade.refresh_from_db()
    assert (trade.exit_time, trade.exit_price) == (
        calendar.utc(CLOSE_MS + 1000),
        Decimal("2039.00000"),
    )
    late = list(trade.events.values_list("kind", "found_late_seconds"))
    assert late[2:] == [("SL_HIT", 7380), ("CLOSED", 7380)]
    (message,) = models.Message.objects.all()
    assert text_of(message).splitlines()[-1].startswith("⏳ Found 2 h 03 min late")


@pytest.mark.parametrize("stored_after", [timedelta(days=700), -timedelta(days=1)])
def test_a_replay_is_never_late(two_hours_later: datetime, stored_after: timedelta) -> None:
    trade = stored_trade()
    decided(Decision.Outcome.SIGNAL, stored_after=stored_after)

    services.move_trades("XAUUSD", bids(2039.0))

    assert set(trade.events.values_list("found_late_seconds", flat=True)) == {None}


def test_a_tick_on_time_is_not_late() -> None:
    trade = stored_trade()
    decided(Decision.Outcome.SIGNAL)

    with time_machine.travel(calendar.utc(CLOSE_MS + 5000), tick=False):
        services.move_trades("XAUUSD", bids(2039.0))

    assert set(trade.events.values_list("found_late_seconds", flat=True)) == {None}
