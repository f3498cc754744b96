"""What closing lots brings, and where the stop stands after the first target."""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from signals_app.confluence.parameters import Parameters
from signals_app.market.tick import Ticks
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SELL_SIGNAL, SIGNAL, bids
from trades_app.lifecycle.machine import (
    advance,
    open_trade,
)
from trades_app.lifecycle.trade import (
    EventKind,
)

D = Decimal
DEFAULTS = Parameters()
BUY, _ = open_trade(SIGNAL, GOLD, ENTRY, DEFAULTS)
SELL, _ = open_trade(SELL_SIGNAL, GOLD, ENTRY, DEFAULTS)


def test_odd_lots_leave_the_larger_half_for_the_second_target() -> None:
    trade, _ = open_trade(replace(SIGNAL, position_size=D("0.03")), GOLD, ENTRY, DEFAULTS)

    trade, _ = advance(trade, GOLD, bids(2055.0))

    assert trade.remaining_lots == D("0.02")


def test_the_smallest_lot_is_not_split_but_its_stop_moves() -> None:
    trade, _ = open_trade(replace(SIGNAL, position_size=D("0.01")), GOLD, ENTRY, DEFAULTS)

    at_first, events = advance(trade, GOLD, bids(2055.0))
    at_second, _ = advance(at_first, GOLD, bids(2065.0, first_ordinal=12))

    assert (at_first.remaining_lots, at_first.stop_loss) == (D("0.01"), D("2045.5"))
    assert at_first.partial_closes == ()
    assert [(e.kind, e.lots, e.profit) for e in events] == [
        (EventKind.TP1_HIT, D(0), D(0)),
        (EventKind.STOP_MOVED, D(0), D(0)),
    ]
    assert (at_second.profit_loss, at_second.profit_loss_pips) == (D("19.50"), D("195.00"))


def test_costs_are_paid_and_moved_into_the_break_even() -> None:
    costly = replace(DEFAULTS, commission_per_lot=7.0, slippage_pips=1.0)
    trade, events = open_trade(SIGNAL, GOLD, ENTRY, costly)

    # 7 for a lot of 100 ounces are 0.07 of price; slippage of a pip is 0.1, paid once more.
    assert (trade.entry_price, trade.profit_loss) == (D("2045.6"), D("-3.50"))
    assert events[0].profit == D("-3.50")
    trade, _ = advance(trade, GOLD, bids(2055.0))
    assert trade.stop_loss == D("2045.77")
    trade, _ = advance(trade, GOLD, bids(2045.77, first_ordinal=12))
    assert trade.exit_price == D("2045.67")
    # The half that was closed at the target, after its share of the commission; the rest: nothing.
    assert trade.profit_loss == D("235.00") - D("1.75")


def test_the_break_even_covers_the_nights_until_the_first_target() -> None:
    swapped = replace(DEFAULTS, swap_per_lot_night_buy=-10.0)
    trade, _ = open_trade(SIGNAL, GOLD, ENTRY, swapped)
    monday_ms = CLOSE_MS + 3 * 86_400_000
    times = np.array([monday_ms, monday_ms + 1000])

    trade, events = advance(
        trade, GOLD, Ticks(11, times, np.array([2055.0, 2045.6]), np.array([2055.2, 2045.8]))
    )

    assert trade.stop_loss == D("2045.6")
    assert [e.profit for e in events if e.lots] == [D("237.50") - D("2.50"), D("0.00")]


def test_swap_is_paid_for_each_night() -> None:
    swapped = replace(DEFAULTS, swap_per_lot_night_buy=-10.0)
    trade, _ = open_trade(SIGNAL, GOLD, ENTRY, swapped)
    # Friday afternoon to Monday afternoon: one night.
    monday = Ticks(11, np.array([CLOSE_MS + 3 * 86_400_000]), np.array([2055.0]), np.array([2056]))

    trade, _ = advance(trade, GOLD, monday)

    assert trade.profit_loss == D("237.50") - D("2.50")
