"""Trades closed by an operator's order."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from signals_app.market import calendar
from signals_app.models import Decision, Signal, StreamPosition
from tests.trades_app.examples import CLOSE_MS, SIGNAL
from tests.trades_app.rows import decided, kinds, stored_trade, ticks_at
from trades_app import models
from trades_app.lifecycle.trade import CloseOrder
from trades_app.lifecycle.transitions import InvalidTransition
from trades_app.notifications.kinds import text_of
from trades_app.trading.closing import order_close
from trades_app.trading.moving import move_trades

pytestmark = pytest.mark.django_db

#: Long after the example's ticks, which are a replay unless a decision was stored in time.
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_an_operators_order_closes_a_trade_at_the_next_tick(position: StreamPosition) -> None:
    trade = stored_trade()

    order_close(trade.pk, NOW)
    trade.refresh_from_db()
    assert (trade.is_open, kinds(trade)) == (True, ["OPENED", "MONITORING_STARTED"])
    move_trades("XAUUSD", ticks_at(61, 2047.0, 2046.0))

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
    order_close(trade.pk, ordered_at)

    # What the connector kept meanwhile is known to the market by now.
    move_trades("XAUUSD", ticks_at(61, 2047.0, 2046.0))
    trade.refresh_from_db()
    assert trade.is_open
    move_trades("XAUUSD", ticks_at(7199, 2045.0, 2044.0, first_ordinal=23))

    trade.refresh_from_db()
    assert (trade.exit_price, trade.exit_ordinal) == (Decimal("2044.00000"), 24)
    assert trade.exit_time == ordered_at


def test_an_order_in_a_replay_holds_from_the_replays_own_time(position: StreamPosition) -> None:
    StreamPosition.objects.update(watermark_ms=CLOSE_MS + 3_600_000)

    ordered = order_close(stored_trade().pk, NOW)

    assert ordered.close_order == CloseOrder(after_ordinal=20, from_ms=CLOSE_MS + 3_600_000)
    assert order_close(models.Trade.objects.get().pk, NOW) == ordered


def test_a_trade_that_is_over_is_not_closed_again(position: StreamPosition) -> None:
    trade = stored_trade(SIGNAL, 2039.0)

    with pytest.raises(InvalidTransition, match=r"XAU_20240105_001 .* it is TRADE_CLOSED\.$"):
        order_close(trade.pk, NOW)

    assert kinds(trade)[-1] == "CLOSED"
    assert len(kinds(trade)) == 4
