"""A trade as a value."""

from dataclasses import replace
from decimal import Decimal

import msgspec

from signals_app.confluence.parameters import Parameters
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SELL_SIGNAL, SIGNAL, bids
from trades_app.lifecycle.machine import (
    advance,
    open_trade,
)
from trades_app.lifecycle.trade import (
    CloseOrder,
    Moment,
    Trade,
    TradeEvent,
)

D = Decimal
DEFAULTS = Parameters()
BUY, _ = open_trade(SIGNAL, GOLD, ENTRY, DEFAULTS)
SELL, _ = open_trade(SELL_SIGNAL, GOLD, ENTRY, DEFAULTS)


def test_a_stored_trade_comes_back_as_it_was() -> None:
    trade, events = advance(BUY, GOLD, bids(2055.0, 2066.0))

    assert msgspec.json.decode(msgspec.json.encode(trade), type=Trade) == trade
    assert msgspec.json.decode(msgspec.json.encode(events), type=tuple[TradeEvent, ...]) == events


def test_an_order_holds_for_ticks_that_came_after_it_and_bear_a_later_time() -> None:
    order = CloseOrder(after_ordinal=12, from_ms=CLOSE_MS)

    assert order.holds_at(Moment(CLOSE_MS, 13))
    assert not order.holds_at(Moment(CLOSE_MS, 12))
    assert not order.holds_at(Moment(CLOSE_MS - 1, 13))


def test_a_multiple_of_the_risk_is_to_the_hundredth_and_none_without_a_risk() -> None:
    assert replace(BUY, profit_loss=D("-137.51")).r_multiple == D("-0.50")
    assert replace(BUY, initial_risk=D(0)).r_multiple is None
