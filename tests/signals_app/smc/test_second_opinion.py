"""The detectors say what a second reader of the definitions says, on every market tried."""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals_app.importers.candle_files import read_candles
from signals_app.market.calendar import milliseconds
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.tick import quantise_all
from signals_app.smc.analysis import analyse, as_json
from tests.signals_app.smc import second_opinion
from tests.signals_app.smc.compiled.test_detectors import markets

MINUTE_MS = 60_000
#: Five days of trading, as gold has them, and the two between one week and the next.
OPEN_MINUTES, SHUT_MINUTES = 5 * 1440, 2 * 1440

#: Sundays 22:00 UTC, when a week opens, one to two weeks before something happens to the calendar.
STARTS = (
    "2024-02-25T22:00Z",  # New York's clock goes forward on 10 March
    "2024-10-20T22:00Z",  # Europe's goes back on 27 October, New York's on 3 November
    "2006-10-15T22:00Z",  # by the rules before 2007
    "2020-12-13T22:00Z",  # the year ends in ISO week 53
    "2024-12-15T22:00Z",  # 30 December belongs to week 1 of the next year
    "1970-01-04T22:00Z",
    "2037-10-18T22:00Z",  # the last change that most zone tables spell out
    "2038-02-28T22:00Z",
)

#: A price and the grid it moves on: from one step above nothing to a grid lost in the digits.
PRICES = (
    (1e-5, 1e-5),
    (0.0005, 1e-5),
    (1.1, 1e-5),
    (10.0, 1.0),
    (1800.0, 0.01),
    (4000.0, 0.25),
    (5000.0, 1.25),  # of which 10 steps are the ATR that a round step is exactly 8 times of
    (100_000.0, 5.0),
    (100_000.0, 1e-5),
)

VOLUMES = {
    "none": lambda numbers, count: np.zeros(count),
    "one": lambda numbers, count: np.ones(count),
    "ticks": lambda numbers, count: numbers.integers(0, 5000, count) * 1.0,
    "few": lambda numbers, count: numbers.integers(0, 5, count) * 1.0,
    "fractions": lambda numbers, count: numbers.integers(0, 400, count) / 100,
    "spikes": lambda numbers, count: numbers.choice([1.0, 1.0, 1.0, 2.0, 3.0, 10.0], count),
}

#: Every candle file beside the repository.
REAL = (
    "EURUSD_H1_mt5charan_2025H1_SERVER-EU.csv.gz",
    "EURUSD_H1_oanda_2007_to_2018_UTC.csv.gz",
    "EURUSD_H4_mt5ej_2014-12_to_2018_SERVER-EU.csv.gz",
    "EURUSD_M15_dukascopy_2025-02_to_2025-06_UTC.csv.gz",
    "EURUSD_M15_mt5charan_2025H1_SERVER-EU.csv.gz",
    "EURUSD_M1_histdata_2018_UTC.csv.gz",
    "GBPUSD_H1_mt5charan_2025H1_SERVER-EU.csv.gz",
    "GBPUSD_H1_mt5ej_2014-12_to_2018_SERVER-EU.csv.gz",
    "GBPUSD_H4_mt5ej_2014-12_to_2018_SERVER-EU.csv.gz",
    "GBPUSD_M15_dukascopy_2025-02_to_2025-06_UTC.csv.gz",
    "GBPUSD_M15_mt5charan_2025H1_SERVER-EU.csv.gz",
    "GBPUSD_M1_histdata_2018_UTC.csv.gz",
    "XAUUSD_H1_mt5charan_2025-01_to_2026-01_SERVER-EU.csv.gz",
    "XAUUSD_H1_mt5ej_2012_to_2017_SERVER-EU.csv.gz",
    "XAUUSD_H1_oanda_2006-03_to_2017-12_UTC.csv.gz",
    "XAUUSD_H4_mt5ej_2012_to_2017_SERVER-EU.csv.gz",
    "XAUUSD_H4_mt5pote_2025-01_to_2026-01_SERVER-EU.csv.gz",
    "XAUUSD_M15_histdata_2010-01_to_2017-12_UTC.csv.gz",
    "XAUUSD_M15_mt5charan_2025-01_to_2026-01_SERVER-EU.csv.gz",
    "XAUUSD_M1_histdata_2017_UTC.csv.gz",
    "XAUUSD_M1_mt5rabit_2025-12_to_2026-01_SERVER-US.csv.gz",
    "XAUUSD_M1_oanda_bidask_2014-05-01_to_08_UTC.csv.gz",
)

GOLDEN = (
    "EURUSD_M15_20250228",
    "XAUUSD_H1_20110317",
    "XAUUSD_H1_20250707",
    "XAUUSD_H4_20140214",
    "XAUUSD_M15_20250521",
)


def assert_same(opinion: dict[str, Any], other: dict[str, Any]) -> None:
    """Compare numbers within 1e-9; indices, words, truths and what is absent exactly."""
    ours, others = dict(leaves(opinion)), dict(leaves(other))
    differing = {
        path: (ours.get(path, "not there"), others.get(path, "not there"))
        for path in ours | others
        if path not in ours or path not in others or not is_same(ours[path], others[path])
    }
    assert differing == {}


def is_same(ours: Any, other: Any) -> bool:
    # JSON writes a whole number without its point; True equals 1, but is another type.
    if type(ours) is float and type(other) in (float, int):
        return abs(ours - other) <= 1e-9
    return type(ours) is type(other) and ours == other


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give every plain value within rows of rows, with the way to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{place}]")
    else:
        yield path, value


def assert_of_one_opinion(candles: Candles) -> None:
    product = as_json(analyse(candles), "XAUUSD", Timeframe.M15)
    del product["symbol"], product["timeframe"]
    assert_same(second_opinion.analyse(candles), product)


@st.composite
def nasty_markets(draw: st.DrawFn, counts: st.SearchStrategy[int]) -> Candles:
    """Candles that meet each other exactly, stand still or jump, at times that skip and change."""
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(counts)
    price, grid = draw(st.sampled_from(PRICES))
    opens, highs, lows, closes = np.rint(price / grid) + draw_steps(draw, numbers, count)
    lift = max(0.0, 1.0 - lows.min(initial=1.0))  # No price at or below zero.
    prices = (quantise_all((column + lift) * grid) for column in (opens, highs, lows, closes))
    volumes = VOLUMES[draw(st.sampled_from(sorted(VOLUMES)))](numbers, count)
    return Candles(draw_times(draw, numbers, count), *prices, volumes)


def draw_steps(draw: st.DrawFn, numbers: np.random.Generator, count: int) -> np.ndarray:
    """Return opens, highs, lows and closes as whole steps of the grid, from 0 on."""
    span = draw(st.sampled_from([0, 1, 1, 2, 3, 6, 30, 200]))
    steps = numbers.integers(-span, span + 1, count)
    match draw(
        st.sampled_from(["level", "walk", "gaps", "rise", "fall", "flat", "zigzag", "even"])
    ):
        case "level":
            opens, closes = steps, numbers.integers(-span, span + 1, count)
        case "walk":
            closes = np.cumsum(steps)
            opens = closes - steps
        case "gaps":
            closes = np.cumsum(steps + numbers.choice([0, 0, 0, -3 * span, 3 * span], count))
            opens = closes - steps
        case "rise":
            closes = np.cumsum(np.abs(steps))
            opens = closes - np.abs(steps)
        case "fall":
            closes = -np.cumsum(np.abs(steps))
            opens = closes + np.abs(steps)
        case "flat":
            # Candles without range: no ATR until the first jump.
            jumps = np.where(
                numbers.random(count) < draw(st.sampled_from([0, 0.02, 0.2])), steps, 0
            )
            closes = np.cumsum(jumps)
            return np.stack([closes] * 4).astype(np.float64)
        case "even":
            # The true range is 10 until the first jump: what is measured in ATR is met exactly.
            jumps = numbers.choice([0, -30, 30], count, p=[0.99, 0.005, 0.005])
            lows = numbers.integers(-1, 2, count) + np.cumsum(jumps)
            opens, closes = lows + numbers.integers(4, 7, (2, count))
            return np.stack([opens, lows + 10, lows, closes]).astype(np.float64)
        case "zigzag":
            leg = draw(st.integers(1, 5))
            closes = np.where(np.arange(count) // leg % 2, span, -span)
            opens = closes - np.diff(closes, prepend=0)
    wick = draw(st.sampled_from([0, 1, 3]))
    wicks = numbers.integers(0, wick + 1, (2, count))
    wicks += np.where(numbers.random((2, count)) < 0.04, 3 * span, 0)
    highs, lows = np.maximum(opens, closes) + wicks[0], np.minimum(opens, closes) - wicks[1]
    return np.stack([opens, highs, lows, closes]).astype(np.float64)


def draw_times(draw: st.DrawFn, numbers: np.random.Generator, count: int) -> np.ndarray:
    """Return opening times from some hour of two weeks on, with holes and with weekends."""
    step = draw(st.sampled_from([1, 15, 30, 60, 240, 1440]))
    steps = np.where(numbers.random(count) < draw(st.sampled_from([0, 0.03, 0.3])), 7, 1)
    steps[numbers.random(count) < draw(st.sampled_from([0, 0.02]))] = 300
    minutes = draw(st.integers(0, 400)) * 60 + np.cumsum(steps) * step
    if draw(st.booleans()):
        minutes += minutes // OPEN_MINUTES * SHUT_MINUTES
    start = milliseconds(datetime.fromisoformat(draw(st.sampled_from(STARTS))))
    return (start + minutes * MINUTE_MS).astype(np.int64)


@lru_cache(maxsize=1)
def real_candles(path: Path) -> Candles:
    clocks = {"EU": "server-eu", "US": "server-us"}
    return read_candles(path, clocks.get(path.name.removesuffix(".csv.gz")[-2:], "utc"))


@settings(max_examples=40, deadline=None)
@given(markets())
def test_readers_agree_on_any_market(candles: Candles) -> None:
    assert_of_one_opinion(candles)


@settings(max_examples=120, deadline=None)
@given(nasty_markets(st.integers(0, 15)))
def test_readers_agree_on_a_few_nasty_candles(candles: Candles) -> None:
    assert_of_one_opinion(candles)


@settings(max_examples=120, deadline=None)
@given(nasty_markets(st.integers(16, 220)))
def test_readers_agree_on_nasty_markets(candles: Candles) -> None:
    assert_of_one_opinion(candles)


@pytest.mark.parametrize("name", REAL)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_readers_agree_on_real_candles(shared: Path, name: str, seed: int) -> None:
    path = shared / "data" / name
    if not path.exists():
        pytest.skip(f"{path} is missing")
    candles = real_candles(path)
    # Integers that hypothesis draws are mostly small, and so would show the first weeks only.
    end = np.random.default_rng(seed).integers(1, len(candles), endpoint=True)
    assert_of_one_opinion(candles.window(int(end)))


@pytest.mark.parametrize("name", GOLDEN)
def test_second_reader_finds_what_is_expected_of_the_example_windows(
    shared: Path, name: str
) -> None:
    path = shared / "golden" / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    expected = json.loads(path.with_suffix(".json").read_text())
    del expected["symbol"], expected["timeframe"]
    assert_same(second_opinion.analyse(read_candles(path)), expected)
