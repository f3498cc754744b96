"""Whatever a trade's result, at and around nothing: no figure of it is a negative zero."""

import json
import math
import re
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports_app.performance.statistics import performance, performance_as_json, result_of
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.confluence.sizing import money, money_of_move
from signals_app.market.direction import Direction
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument, quantise
from signals_app.market.tick import Tick, Ticks
from tests.trades_app.examples import CLOSE_MS, SIGNAL
from trades_app.lifecycle import machine
from trades_app.lifecycle.exported import trade_as_json
from trades_app.lifecycle.risk import Costs, break_even_price, commission, gain, pips, profit
from trades_app.lifecycle.trade import Trade, TradeEvent
from trades_app.notifications.content.wording import short, signed, signed_money

D = Decimal
directions = st.sampled_from(list(Direction))
instruments = st.sampled_from(DEFAULT_INSTRUMENTS)
#: In steps of the price grid: nothing, less than a cent, less than a pip, more.
steps = st.one_of(st.integers(-3, 3), st.integers(-60, 60), st.integers(-20_000, 20_000))
lots = st.sampled_from([D("0.00"), D("0.01"), D("0.02"), D("0.37"), D("50.00")])
costs = st.sampled_from(
    [
        Costs(),
        Costs(swap_per_lot_night_buy=D("-0.01"), swap_per_lot_night_sell=D("0.01")),
        Costs(D("-0.0"), D("-0.0"), D("-0.0"), D("-0.0")),
        Costs(D("0.1"), D("-0.3"), D("0.2"), D("0.00001")),
    ]
)
_PRICES = {"XAUUSD": 2045.5, "EURUSD": 1.1, "GBPUSD": 1.25, "USDCAD": 1.36}


def negative_zeros(value: Any) -> list[str]:
    """Name the numbers in a value that are -0."""
    found = []
    for name, held in asdict(value).items():
        numbers = [held] if isinstance(held, float | Decimal) else []
        if isinstance(held, list | tuple):
            numbers = [n for each in held for n in dict(each).values() if isinstance(n, Decimal)]
        found += [name for n in numbers if not n and math.copysign(1, n) < 0]
    return found


def lived(
    instrument: Instrument, direction: Direction, moves: list[int], parameters: Parameters
) -> tuple[TradingSignal, Trade, tuple[TradeEvent, ...]]:
    """Return a trade that goes so many steps of the grid away from its entry, then expires."""
    entry, sign = _PRICES[instrument.symbol], direction.sign
    pip = instrument.pip
    signal = replace(
        SIGNAL,
        instrument=instrument.symbol,
        direction=direction,
        entry_price=entry,
        position_size=D("0.01"),
        stop_loss=quantise(entry - sign * 10 * pip),
        take_profit_1=quantise(entry + sign * 10 * pip),
        take_profit_2=quantise(entry + sign * 20 * pip),
    )
    first = Tick(10, CLOSE_MS + 400, entry, entry)
    trade, events = machine.open_trade(signal, instrument, first, parameters)
    prices = np.array([quantise(entry + move * 1e-5) for move in moves])
    times = CLOSE_MS + 3_600_000 * np.arange(1, len(moves) + 1, dtype=np.int64)
    trade, more = machine.advance(trade, instrument, Ticks(11, times, prices, prices))
    return signal, trade, events + more


@given(instruments, directions, steps, lots, costs, st.integers(0, 3))
def test_no_arithmetic_of_pips_and_money_gives_one(
    instrument: Instrument, direction: Direction, step: int, size: Decimal, paid: Costs, nights: int
) -> None:
    entry = D(str(_PRICES[instrument.symbol]))
    left = entry + D(step).scaleb(-5)
    distance = gain(direction, entry, left)

    figures = [
        distance,
        pips(instrument, distance),
        commission(size, paid),
        money(money_of_move(instrument, lots=size, distance=distance, price=left)),
        profit(
            instrument,
            direction=direction,
            lots=size,
            entry_price=entry,
            exit_price=left,
            nights=nights,
            costs=paid,
        ),
        break_even_price(instrument, direction, entry, paid, nights) - entry,
    ]

    assert not [figure for figure in figures if not figure and figure.is_signed()]
    assert not negative_zeros(paid)


@given(
    instruments,
    directions,
    st.lists(steps, min_size=1, max_size=4),
    st.sampled_from(
        [
            Parameters(maximum_trade_hours=2),
            Parameters(maximum_trade_hours=2, slippage_pips=0.1, commission_per_lot=0.4),
        ]
    ),
)
def test_no_trade_holds_prints_or_stores_one(
    instrument: Instrument, direction: Direction, moves: list[int], parameters: Parameters
) -> None:
    signal, trade, events = lived(instrument, direction, moves, parameters)

    assert not negative_zeros(trade)
    assert not [name for event in events for name in negative_zeros(event)]
    printed = json.dumps(trade_as_json(trade, events, internal=True))
    assert not re.search(r"-0\.0+(?![\d])", printed)
    assert not re.search(r'"-0(\.0+)?"', msgspec.json.encode([trade, events]).decode())
    figures = performance_as_json(performance([result_of(signal, trade)]))
    assert not re.search(r"-0\.0+(?![\d])", json.dumps(figures))


@pytest.mark.parametrize("direction", Direction)
def test_a_trade_that_expires_where_it_began_earned_nothing(direction: Direction) -> None:
    euro = DEFAULT_INSTRUMENTS[1]
    _, trade, events = lived(euro, direction, [5, 0, 0], Parameters(maximum_trade_hours=2))

    printed = trade_as_json(trade, events)
    assert json.dumps([printed["profit_loss"], printed["profit_loss_pips"]]) == "[0.0, 0.0]"
    assert json.dumps([event["pips"] for event in printed["events"]]) == "[0.0, 0.0, 0.0, 0.0]"


def test_values_that_earlier_versions_stored_are_read_without_it() -> None:
    _, trade, events = lived(DEFAULT_INSTRUMENTS[1], Direction.SELL, [0, 0], Parameters())
    stored = json.loads(msgspec.json.encode([trade, events]).decode().replace('"0.00"', '"-0.00"'))

    assert not negative_zeros(msgspec.convert(stored[0], Trade))
    read = msgspec.convert(stored[1], tuple[TradeEvent, ...])
    assert not [name for event in read for name in negative_zeros(event)]


@given(st.decimals(min_value=-1, max_value=1, places=4))
def test_no_message_shows_one(amount: Decimal) -> None:
    assert not re.fullmatch(r"-\$?0(\.0+)?", signed_money(amount))
    assert not re.fullmatch(r"-0(\.0+)?", signed(amount))
    assert not re.fullmatch(r"-0(\.0+)?", short(amount))


def test_messages_keep_the_sign_of_what_is_something() -> None:
    assert signed_money(D("-1325")) == "-$1,325.00"
    assert signed_money(D("0")) == "+$0.00"
    assert signed(D("-12.50")) == "-12.5"
    assert signed(D("0.00")) == "+0"
