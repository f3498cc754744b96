"""Candles without ticks: a test for every row of the table in docs/domain/trades.md, both ways."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals_app.confluence.parameters import Parameters
from signals_app.market.candle import Candle, Candles
from signals_app.market.direction import Direction
from signals_app.market.tick import Tick, Ticks
from tests.trades_app.examples import CLOSE_MS, GOLD, SIGNAL
from trades_app.lifecycle.candle_fills import CandleFill, first_touched, on_candle
from trades_app.lifecycle.machine import advance, open_trade
from trades_app.lifecycle.trade import EventKind, Moment, Trade, TradeEvent

D = Decimal
#: Candles are drawn as distances won: the entry at 0, the stop at -10, the targets at 10 and 20.
ENTRY, STOP, TARGET_1, TARGET_2 = 2000.0, -10.0, 10.0, 20.0
SPREAD = 0.5
DIRECTIONS = pytest.mark.parametrize("direction", list(Direction))


def opened(direction: Direction, **settings: float) -> Trade:
    sign = direction.sign
    signal = replace(
        SIGNAL,
        direction=direction,
        entry_price=ENTRY,
        stop_loss=ENTRY + STOP * sign,
        take_profit_1=ENTRY + TARGET_1 * sign,
        take_profit_2=ENTRY + TARGET_2 * sign,
        position_size=D("0.10"),
        entry_ordinal=1,
        entry_time_ms=CLOSE_MS,
    )
    quote = Tick(1, CLOSE_MS, ENTRY, ENTRY)
    trade, _ = open_trade(signal, GOLD, quote, replace(Parameters(), **settings))
    return trade


def candle_after(
    trade: Trade, open_: float, worst: float, best: float, *, ordinal: int = 3
) -> CandleFill:
    """A candle whose prices on the exit side are these distances won."""
    if trade.direction is Direction.BUY:
        bid = Candle(CLOSE_MS + 900_000, ENTRY + open_, ENTRY + best, ENTRY + worst, ENTRY, 1)
    else:
        bid = Candle(
            CLOSE_MS + 900_000,
            ENTRY - open_ - SPREAD,
            ENTRY - worst - SPREAD,
            ENTRY - best - SPREAD,
            ENTRY,
            1,
        )
    first = Tick(ordinal, bid.time_ms, bid.open, bid.open + SPREAD)
    end = Moment(bid.time_ms + 900_000, ordinal + 1)
    return on_candle(trade, GOLD, bid, opened=first, closed=end)


@dataclass(frozen=True)
class Row:
    """One row of the table: the candle, what it fills at which distance won, and whether another
    order of events was possible."""

    says: str
    open: float
    worst: float
    best: float
    fills: list[tuple[EventKind, float]]
    is_ambiguous: bool = False
    at_open: bool = False


TP1, TP2, SL = EventKind.TP1_HIT, EventKind.TP2_HIT, EventKind.SL_HIT
FRESH = [
    Row("stays between stop and target", 0, -9, 9, []),
    Row("reaches the stop", 0, -10, 5, [(SL, -10)]),
    Row("reaches the stop and falls beyond", 0, -15, 5, [(SL, -10)]),
    Row("opens beyond the stop", -12, -15, 5, [(SL, -12)], at_open=True),
    Row("opens beyond the stop and reaches the target", -12, -15, 25, [(SL, -12)], at_open=True),
    Row("holds stop and first target", 0, -10, 10, [(SL, -10)], is_ambiguous=True),
    Row("holds stop and both targets", 0, -11, 25, [(SL, -10)], is_ambiguous=True),
    Row("reaches the first target above the entry", 1, 0.5, 15, [(TP1, 10)]),
    Row(
        "reaches the first target and was at the entry",
        1,
        -1,
        15,
        [(TP1, 10), (SL, 0)],
        is_ambiguous=True,
    ),
    Row("reaches both targets above the entry", 1, 0.5, 25, [(TP1, 10), (TP2, 20)]),
    Row(
        "reaches both targets and was at the entry",
        1,
        0,
        25,
        [(TP1, 10), (SL, 0)],
        is_ambiguous=True,
    ),
    Row("opens beyond the first target", 12, 11, 15, [(TP1, 10)], at_open=True),
    Row("opens beyond both targets", 22, 21, 25, [(TP1, 10), (TP2, 20)], at_open=True),
    Row(
        "opens beyond the first target and falls to the entry",
        12,
        -1,
        15,
        [(TP1, 10), (SL, 0)],
    ),
]
AFTER_FIRST_TARGET = [
    Row("stays between entry and second target", 5, 1, 19, []),
    Row("comes back to the entry", 5, 0, 10, [(SL, 0)]),
    Row("opens beyond the entry", -2, -3, 10, [(SL, -2)], at_open=True),
    Row("reaches the second target", 5, 1, 20, [(TP2, 20)]),
    Row("opens beyond the second target", 23, 1, 25, [(TP2, 20)], at_open=True),
    Row("holds entry and second target", 5, -1, 25, [(SL, 0)], is_ambiguous=True),
]


def check(row: Row, fill: CandleFill, direction: Direction) -> None:
    filled = [
        (e.kind, (float(e.price) - ENTRY) * direction.sign)
        for e in fill.events
        if e.price is not None
    ]
    assert filled == row.fills
    assert fill.is_ambiguous is row.is_ambiguous
    if row.fills:
        assert fill.events[0].ordinal % 2 == (1 if row.at_open or row.open == 12 else 0)


@DIRECTIONS
@pytest.mark.parametrize("row", FRESH, ids=lambda row: row.says)
def test_a_candle_of_a_fresh_trade(row: Row, direction: Direction) -> None:
    fill = candle_after(opened(direction), row.open, row.worst, row.best)

    check(row, fill, direction)


@DIRECTIONS
@pytest.mark.parametrize("row", AFTER_FIRST_TARGET, ids=lambda row: row.says)
def test_a_candle_after_the_first_target(row: Row, direction: Direction) -> None:
    trade = candle_after(opened(direction), 1, 0.5, 15).trade

    check(row, candle_after(trade, row.open, row.worst, row.best, ordinal=5), direction)


#: On the exit side the entry's own candle opens a spread below the entry, for SELL as for BUY.
OF_THE_ENTRY = [
    Row("stays between stop and target", -SPREAD, -9, 9, []),
    Row("reaches the stop", -SPREAD, -10, 5, [(SL, -10)]),
    Row("holds stop and first target", -SPREAD, -10, 10, [(SL, -10)], is_ambiguous=True),
    Row(
        "reaches the first target: the rest ends at the entry",
        -SPREAD,
        -SPREAD,
        15,
        [(TP1, 10), (SL, 0)],
        is_ambiguous=True,
    ),
    Row(
        "reaches both targets: the rest ends at the entry",
        -SPREAD,
        -SPREAD,
        25,
        [(TP1, 10), (SL, 0)],
        is_ambiguous=True,
    ),
]


@DIRECTIONS
@pytest.mark.parametrize("row", OF_THE_ENTRY, ids=lambda row: row.says)
def test_the_candle_of_the_entry(row: Row, direction: Direction) -> None:
    # Its open is the entry; whatever its range holds came after it.
    fill = candle_after(opened(direction), row.open, row.worst, row.best, ordinal=1)

    check(row, fill, direction)


@DIRECTIONS
def test_an_expired_trade_closes_at_the_open(direction: Direction) -> None:
    fill = candle_after(opened(direction, maximum_trade_hours=0.1), 3, -10, 25)

    assert fill.trade.exit_reason is EventKind.EXPIRED
    assert (float(fill.trade.exit_price) - ENTRY) * direction.sign == 3
    assert not fill.is_ambiguous


def walk_between(turns: list[int]) -> list[int]:
    """Return a way that price took on the exit side, in distances won: steps of one, no jumps."""
    way = turns[:1]
    for turn in turns:
        way += range(way[-1], turn, 1 if turn > way[-1] else -1)
        way.append(turn)
    return way


walks = st.lists(st.integers(-13, 23), min_size=1, max_size=6).map(walk_between)


@given(st.sampled_from(Direction), walks, st.booleans())
def test_a_candle_is_never_kinder_than_the_ticks_that_made_it(
    direction: Direction, walk: list[int], is_after_target: bool
) -> None:
    trade = opened(direction)
    if is_after_target:
        trade = candle_after(trade, 1, 0.5, 15).trade
    exits = ENTRY + np.array(walk, dtype=float) * direction.sign
    bid = exits if direction is Direction.BUY else exits - SPREAD
    times = CLOSE_MS + 900_000 + np.arange(len(walk)) * 1000

    by_ticks, events = advance(trade, GOLD, Ticks(5, times, bid, bid + SPREAD))
    fill = candle_after(trade, walk[0], min(walk), max(walk), ordinal=5)

    def worth(trade: Trade) -> Decimal:
        """What it would have earned, were the rest closed at the candle's end."""
        return trade.profit_loss + trade.remaining_lots * GOLD.contract_size * walk[-1]

    assert worth(fill.trade) <= worth(by_ticks)
    if not fill.is_ambiguous:
        assert _fills(fill.events) == _fills(events)


@given(
    st.sampled_from(Direction),
    st.lists(st.tuples(st.integers(-11, 20), st.integers(0, 4)), max_size=20),
    st.sampled_from([0.1, 120.0]),
)
def test_no_candle_before_the_first_touched_one_changes_a_trade(
    direction: Direction, drawn: list[tuple[int, int]], hours: float
) -> None:
    trade = opened(direction, maximum_trade_hours=hours)
    bids = [(ENTRY + low * direction.sign, height) for low, height in drawn]
    candles = Candles.of(
        Candle(CLOSE_MS + n * 60_000, low + height, low + height, low, low, 1.0)
        for n, (low, height) in enumerate(bids, 1)
    )

    touched = first_touched(trade, candles, np.full(len(candles), SPREAD))

    for place, candle in enumerate(candles):
        quote = Tick(2 * place + 3, candle.time_ms, candle.open, candle.open + SPREAD)
        closed = Moment(candle.time_ms + 60_000, quote.ordinal + 1)
        fill = on_candle(trade, GOLD, candle, opened=quote, closed=closed)
        if touched is None or place < touched:
            assert (fill.trade, fill.events) == (trade, ())
        elif direction is Direction.BUY:
            assert fill.events
            break


def _fills(events: Iterable[TradeEvent]) -> list[tuple[EventKind, Decimal, Decimal]]:
    return [(e.kind, e.price, e.profit) for e in events if e.price is not None]
