"""Minutes as four ticks: those are counted whose other order would have ended otherwise."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from reports_app.backtest.minutes import ambiguous_minutes
from signals_app.confluence.parameters import Parameters
from signals_app.market.direction import Direction
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.market.tick import Tick, Ticks
from tests.trades_app.examples import SIGNAL
from trades_app.lifecycle.machine import advance, open_trade
from trades_app.lifecycle.trade import EventKind, Trade

GOLD = DEFAULT_INSTRUMENTS[0]
MINUTE = 60_000
#: At 12:00 to the second, without a spread.
ENTRY = Tick(1, SIGNAL.entry_time_ms - SIGNAL.entry_time_ms % MINUTE, 2000.0, 2000.0)


def opened(direction: Direction) -> Trade:
    """A trade at 2,000 with stop 10 away, targets 10 and 25 away; the entry is a minute's open."""
    sign = direction.sign
    signal = replace(
        SIGNAL,
        direction=direction,
        entry_price=2000.0,
        stop_loss=2000.0 - 10 * sign,
        take_profit_1=2000.0 + 10 * sign,
        take_profit_2=2000.0 + 25 * sign,
        position_size=Decimal("0.10"),
    )
    return open_trade(signal, GOLD, ENTRY, Parameters())[0]


def minutes(direction: Direction, *moves: tuple[float, float, float, float]) -> Ticks:
    """Four ticks a minute, as distances won from 2,000; the first is the entry's own minute."""
    count = 4 * len(moves)
    price = 2000.0 + direction.sign * np.array(moves).ravel()
    time_ms = ENTRY.time_ms + 15_000 * np.arange(count, dtype=np.int64)
    return Ticks(1, time_ms, price, price)


QUIET = (0.0, -1.0, 1.0, 0.0)


@pytest.mark.parametrize("direction", [Direction.BUY, Direction.SELL])
@pytest.mark.parametrize(
    ("minute", "ended", "counted"),
    [
        # Open, then the better or the worse extreme first.
        ((0, -11, 11, 1), EventKind.SL_HIT, 1),
        ((0, 11, -11, 1), EventKind.SL_HIT, 1),
        ((0, 11, 1, 2), None, 0),
        ((0, 11, -1, 0), EventKind.SL_HIT, 1),
        ((0, -1, 11, 2), None, 1),
        ((0, -11, 9, 0), EventKind.SL_HIT, 0),
        ((0, 26, 1, 2), EventKind.TP2_HIT, 0),
        ((0, -9, 9, 0), None, 0),
        # What the open is beyond was reached first, whatever came then.
        ((-11, -12, 11, 0), EventKind.SL_HIT, 0),
        ((12, 11, 26, 20), EventKind.TP2_HIT, 0),
        ((12, -1, 26, 20), EventKind.SL_HIT, 1),
    ],
)
def test_a_minute_is_counted_where_its_order_decided(
    direction: Direction, minute: tuple, ended: EventKind | None, counted: int
) -> None:
    ticks = minutes(direction, QUIET, minute, QUIET)
    before = opened(direction)
    trade, events = advance(before, GOLD, ticks.part(0, 8))

    assert trade.exit_reason is ended
    assert ambiguous_minutes(before, events, ticks) == counted


def test_the_minute_of_the_entry_counts_from_after_its_open() -> None:
    ticks = minutes(Direction.BUY, (0, -11, 11, 0))
    before = opened(Direction.BUY)
    _, events = advance(before, GOLD, ticks)

    assert ambiguous_minutes(before, events, ticks) == 1
