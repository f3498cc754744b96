"""Candles that cannot be are named with their place."""

from dataclasses import dataclass

import msgspec
import pytest

from mt5_bridge.protocol.wire import CandleRow
from signals_app.gateway.history_check import history_fault
from signals_app.market.candle import Timeframe

NOON = 1_704_456_000_000
QUARTER = 900_000


@dataclass(frozen=True)
class Fault:
    text: str
    changes: dict[str, float]


def candle(number: int, **changes: float) -> CandleRow:
    row = CandleRow(NOON + number * QUARTER, 2045.1, 2046.0, 2044.9, 2045.5, 812)
    return msgspec.structs.replace(row, **changes)


def fault(*rows: CandleRow) -> str | None:
    return history_fault(rows, Timeframe.M15, NOON + 10 * QUARTER)


def test_closed_aligned_candles_in_order_have_none() -> None:
    assert fault(candle(0), candle(1), candle(3)) is None
    assert fault() is None


@pytest.mark.parametrize(
    "one",
    [
        Fault("has a price that cannot be", {"low": 0.0}),
        Fault("has a price that cannot be", {"high": 1e9 + 1}),
        Fault("does not hold its open and close", {"high": 2045.0}),
        Fault("does not hold its open and close", {"low": 2045.3}),
        Fault("has no valid volume", {"volume": -1}),
        Fault("has no valid volume", {"volume": float("nan")}),
        Fault("does not open on M15", {"time_ms": NOON + 1}),
        Fault("is not later than the one before", {"time_ms": NOON}),
        Fault("is not closed yet", {"time_ms": NOON + 10 * QUARTER}),
    ],
    ids=lambda one: one.text + " " + next(iter(one.changes)),
)
def test_a_fault_is_named_with_its_candle(one: Fault) -> None:
    assert fault(candle(0), candle(1, **one.changes)) == f"candle 1 {one.text}"


def test_a_candle_may_close_a_minute_ahead_of_the_servers_clock() -> None:
    now_ms = NOON + QUARTER - 60_000
    assert history_fault([candle(0)], Timeframe.M15, now_ms) is None
    assert history_fault([candle(0)], Timeframe.M15, now_ms - 1) == "candle 0 is not closed yet"
