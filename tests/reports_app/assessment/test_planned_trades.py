"""Planned trades in columns are followed by the rules of docs/domain/trades.md."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports_app.assessment.planned_trades import PlannedCosts, PlannedTrades, TradeFollower
from signals_app.confluence.parameters import Parameters
from signals_app.market.candle import Candle, Candles
from signals_app.market.direction import Direction
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, as_decimal
from signals_app.market.tick import Tick
from tests.trades_app.examples import SIGNAL
from trades_app.lifecycle.candle_fills import on_candle
from trades_app.lifecycle.fills import finish
from trades_app.lifecycle.machine import open_trade
from trades_app.lifecycle.trade import EventKind, Moment

GOLD = DEFAULT_INSTRUMENTS[0]
QUARTER = 900_000


def candles_of(
    rows: Sequence[tuple[float, float, float, float]], step_ms: int = QUARTER
) -> Candles:
    return Candles.of([Candle(n * step_ms, *row, 1.0) for n, row in enumerate(rows)])


def plan(
    sign: int, *, entry_ms: int = 0, stop: float = 4.0, targets=(4.0, 10.0), costs=(0.0, 0.0, 0.0)
) -> PlannedTrades:
    return PlannedTrades(
        np.array([entry_ms]),
        np.array([sign]),
        np.array([stop]),
        np.array([targets[0]]),
        np.array([targets[1]]),
        PlannedCosts(*(np.array([cost]) for cost in costs)),
    )


def followed(
    candles: Candles, plans: PlannedTrades, spread: float = 0.0, hours: float | None = None
):
    spreads = np.full(len(candles), spread)
    places = np.zeros(len(plans), dtype=np.int64)
    follower = TradeFollower(candles, spreads, hours, has_swap=True)
    return follower.results(plans, places).tolist()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("moves", "r"),
    [
        ([(0, 1, -1, 0), (1, 5, 0.5, 4), (4, 11, 3, 10)], 0.5 + 0.5 * 2.5),
        ([(0, 1, -5, 0)], -1.0),
        ([(0, 12, -5, 0)], -1.0),
        ([(0, 1, -1, 0), (-6, -5, -7, -6)], -1.5),
        ([(0, 5, -1, 4)], 0.5),
        ([(0, 1, -1, 0), (5, 6, 4, 5), (5, 6, -1, 0)], 0.5),
        ([(0, 1, -1, 0), (12, 13, 11, 12)], 0.5 + 0.5 * 2.5),
        ([(0, 1, -1, 0.5)], 0.125),
    ],
    ids=[
        "both targets",
        "stop",
        "stop before target",
        "jumps over the stop",
        "back at the entry in the candle of the first target",
        "first target, then the entry",
        "jumps over both targets",
        "still open at the end",
    ],
)
def test_a_trade_is_followed_by_the_table(moves, r: float, sign: int) -> None:
    rows = [
        (100 + sign * o, *sorted((100 + sign * h, 100 + sign * low), reverse=True), 100 + sign * c)
        for o, h, low, c in moves
    ]

    assert followed(candles_of(rows), plan(sign)) == [r]


def test_the_spread_is_paid_by_both_directions() -> None:
    still = candles_of([(100, 100, 100, 100)])

    assert followed(still, plan(1), spread=0.4) == [pytest.approx(-0.1)]
    assert followed(still, plan(-1), spread=0.4) == [pytest.approx(-0.1)]


def test_a_trade_expires_at_the_open() -> None:
    rows = [(100, 101, 99, 100)] * 4 + [(102, 110, 90, 100)]

    assert followed(candles_of(rows), plan(1), hours=1.0) == [0.5]


steps = st.lists(
    st.tuples(*[st.integers(-6, 6)] * 2, st.integers(0, 6), st.integers(0, 6)),
    min_size=1,
    max_size=12,
)


@given(
    steps,
    st.sampled_from(Direction),
    st.integers(0, 3),
    st.sampled_from([None, 18.0, 72.0]),
    st.sampled_from([0.0, 60.0]),
    st.sampled_from([-30.0, 0.0, 20.0]),
    st.sampled_from([0.0, 5.0]),
)
def test_columns_say_what_the_rules_for_candles_say(
    moves, direction, spread, hours, commission, swap, slippage_pips
) -> None:
    price, rows = 2000.0, []
    for jump, move, above, below in moves:
        opened = price + jump * (rows != [])
        price = opened + move
        rows.append((opened, max(opened, price) + above, min(opened, price) - below, price))
    # So far apart that some nights, and a Wednesday's, are between.
    candles = candles_of(rows, 18 * 3_600_000)
    entry = Tick(1, 0, 2000.0, 2000.0 + spread)
    quote = entry.ask if direction is Direction.BUY else entry.bid
    sign = direction.sign
    signal = replace(
        SIGNAL,
        direction=direction,
        entry_price=quote,
        stop_loss=quote - 5 * sign,
        take_profit_1=quote + 6 * sign,
        take_profit_2=quote + 13 * sign,
        position_size=Decimal("0.20"),
    )
    parameters = Parameters(
        maximum_trade_hours=hours,
        commission_per_lot=commission,
        swap_per_lot_night_buy=swap,
        swap_per_lot_night_sell=swap,
        slippage_pips=slippage_pips,
    )
    trade, _ = open_trade(signal, GOLD, entry, parameters)
    # Its expiry counts from the entry, which here is at the first candle.
    expires_at_ms = None if hours is None else round(hours * 3_600_000)
    trade = replace(trade, entry_time_ms=0, expires_at_ms=expires_at_ms)
    for place, candle in enumerate(candles):
        opened = Tick(2 * place + 1, candle.time_ms, candle.open, candle.open + spread)
        closed = Moment(candle.time_ms + QUARTER, opened.ordinal + 1)
        trade = on_candle(trade, GOLD, candle, opened=opened, closed=closed).trade
    if trade.is_open:
        last = as_decimal(rows[-1][3] + (0 if direction is Direction.BUY else spread))
        trade, _ = finish(trade, GOLD, EventKind.EXPIRED, last, closed)
    risk = Decimal(5) * trade.lots * 100

    found = followed(
        candles,
        plan(
            sign,
            stop=5.0,
            targets=(6.0, 13.0),
            costs=(commission / 100, swap / 100, slippage_pips * 0.1),
        ),
        float(spread),
        hours,
    )

    assert found == [pytest.approx(float(trade.profit_loss / risk), abs=1e-9)]
