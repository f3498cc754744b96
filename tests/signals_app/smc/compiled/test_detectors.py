"""The compiled detectors say what the readable ones say, to the last bit."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals_app.confluence.screening import ENDS, screen_of
from signals_app.importers.candle_files import read_candles
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.tick import quantise_all
from signals_app.smc import readable
from signals_app.smc.compiled import detectors, kernel
from tests.signals_app.smc.pictures import HOUR_MS, NOON_MS

#: Files with different clocks, volumes (none, ticks, traded) and sizes of price.
REAL = (
    "XAUUSD_M15_histdata_2010-01_to_2017-12_UTC.csv.gz",
    "XAUUSD_H1_oanda_2006-03_to_2017-12_UTC.csv.gz",
    "XAUUSD_H4_mt5pote_2025-01_to_2026-01_SERVER-EU.csv.gz",
    "EURUSD_M15_dukascopy_2025-02_to_2025-06_UTC.csv.gz",
)


def assert_twins_agree(candles: Candles) -> None:
    assert detectors.analyse(candles) == readable.analyse(candles)
    if len(candles):
        seen = detectors.view(candles, Timeframe.M15)
        assert seen == readable.view(candles, Timeframe.M15)
        assert seen.structure == detectors.view_structure(candles)
        assert seen.gaps == detectors.view_gaps(candles)
        assert seen.order_blocks == detectors.view_order_blocks(candles)
        assert seen.liquidity == detectors.view_liquidity(candles)


@st.composite
def markets(draw: st.DrawFn) -> Candles:
    """Candles of any temper: calm or wild, cheap or dear, with holes in time and in volume."""
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(0, 260))
    price, step = draw(st.sampled_from([(1.1, 1e-4), (1300.0, 0.5), (4000.0, 3.0), (20.0, 0.01)]))
    quarters = draw(st.sampled_from([1, 4, 16, 96]))
    times = np.cumsum(numbers.choice([1, 1, 1, 1, 1, 3, 40], count)) * quarters
    opens = price + np.cumsum(numbers.normal(0, step, count))
    closes = opens + numbers.normal(0, step, count)
    wicks = np.abs(numbers.normal(0, step, (2, count))) * draw(st.sampled_from([0, 0.3, 2]))
    # A coarse grid makes equal highs, equal lows and candles without range.
    grid = draw(st.sampled_from([1e-5, step / 4, step]))
    opens, closes = np.rint(opens / grid) * grid, np.rint(closes / grid) * grid
    volumes = numbers.integers(0, draw(st.sampled_from([1, 4, 5000])), count)
    return Candles(
        NOON_MS + times.astype(np.int64) * (HOUR_MS // 4),
        quantise_all(opens),
        quantise_all(np.maximum(opens, closes) + np.rint(wicks[0] / grid) * grid),
        quantise_all(np.minimum(opens, closes) - np.rint(wicks[1] / grid) * grid),
        quantise_all(closes),
        volumes * draw(st.sampled_from([1.0, 0.37])),
    )


@settings(max_examples=60, deadline=None)
@given(markets())
def test_twins_agree_on_any_market(candles: Candles) -> None:
    assert_twins_agree(candles)


@pytest.mark.parametrize("name", REAL)
def test_twins_agree_on_real_candles(shared: Path, name: str) -> None:
    path = shared / "data" / name
    if not path.exists():
        pytest.skip(f"{path} is missing")
    candles = read_candles(path, "server-eu" if "SERVER-EU" in name else "utc")
    for end in np.linspace(60, len(candles), 12).astype(int).tolist():
        assert_twins_agree(candles.window(end))
    assert_twins_agree(candles.window(len(candles), 1500))


def test_columns_of_any_memory_layout_are_taken() -> None:
    rows = np.random.default_rng(3).integers(90, 110, (30, 4)).astype(np.float64)
    rows.flags.writeable = False
    low, high = rows.min(axis=1), rows.max(axis=1)
    hours = np.arange(60, dtype=np.int64)[::2] * HOUR_MS
    candles = Candles(NOON_MS + hours, rows[:, 0], high, low, rows[:, 1], rows[:, 2])
    assert_twins_agree(candles)


def test_every_entry_is_compiled_once_by_warming_up() -> None:
    detectors.warm_up()
    before = {name: len(entry.signatures) for name, entry in _entries().items()}
    numbers = np.arange(1.0, 301.0)
    candles = Candles((numbers * HOUR_MS).astype(np.int64), *[numbers] * 5)
    assert_twins_agree(candles)
    assert {name: len(entry.signatures) for name, entry in _entries().items()} == before
    assert set(before.values()) == {1}


def test_screening_compiles_no_entry_again() -> None:
    before = {name: len(entry.signatures) for name, entry in _entries().items()}
    numbers = np.arange(1.0, 301.0)
    candles = Candles((numbers * HOUR_MS).astype(np.int64), *[numbers] * 5)
    screen = screen_of(dict.fromkeys(ENDS, candles), 80.0)

    assert screen(np.array([[250, 260, 300]])).shape == (1, 2)
    assert {name: len(entry.signatures) for name, entry in _entries().items()} == before
    assert len(kernel.score_ceilings.signatures) == 1


def _entries() -> dict[str, object]:
    names = (
        "find_all",
        "find_kept",
        "structure",
        "open_gaps",
        "standing_blocks",
        "resting_liquidity",
    )
    return {name: getattr(kernel, name) for name in names}
