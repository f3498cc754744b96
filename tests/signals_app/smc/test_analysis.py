"""Whole windows: against shared golden results, by properties and as they travel."""

import dataclasses
import json
from math import inf
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from signals_app.importers.candle_files import read_candles
from signals_app.market.candle import WINDOW, Candles, Timeframe
from signals_app.smc.analysis import (
    analyse,
    as_json,
    view,
    view_gaps,
    view_liquidity,
    view_order_blocks,
    view_structure,
)
from signals_app.smc.liquidity import Side
from signals_app.smc.measures import Bias
from signals_app.smc.order_block import OrderBlock, block_score
from signals_app.smc.structure import Trend
from signals_app.smc.swings import SwingKind
from signals_app.smc.views import TimeframeView, WindowAnalysis
from tests.signals_app.smc.pictures import HOUR_MS, NOON_MS, draw

GOLDEN = (
    "EURUSD_M15_20250228",
    "XAUUSD_H1_20110317",
    "XAUUSD_H1_20250707",
    "XAUUSD_H4_20140214",
    "XAUUSD_M15_20250521",
)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_window_is_reproduced(shared: Path, name: str) -> None:
    path = shared / "golden" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    golden = json.loads(path.read_text())
    found = analyse(read_candles(path.with_suffix(".csv")))
    printed = as_json(found, golden["symbol"], Timeframe(golden["timeframe"]))
    assert _approximately(json.loads(json.dumps(printed))) == golden


def _approximately(value: Any) -> Any:
    """Return the value with its floats equal to what is within a millionth."""
    match value:
        case dict():
            return {key: _approximately(part) for key, part in value.items()}
        case list():
            return [_approximately(part) for part in value]
        case float():
            return pytest.approx(value, rel=0, abs=1e-6)
        case _:
            return value


def walk(moves: list[tuple[int, int, int, int]], step_ms: int = HOUR_MS) -> Candles:
    """Return candles of whole and quarter prices from (move, wick above, wick below, volume)."""
    rows: list[tuple[float, ...]] = []
    price = 1000.0
    for move, above, below, volume in moves:
        close = price + move / 4
        high, low = max(price, close) + above / 4, min(price, close) - below / 4
        rows.append((price, high, low, close, volume))
        price = close
    return draw(*rows, start_ms=NOON_MS, step_ms=step_ms)


MOVES = st.tuples(
    st.integers(-12, 12),
    st.integers(0, 6),
    st.integers(0, 6),
    st.integers(0, 9).map(lambda v: v**3),
)
WALKS = st.builds(
    walk,
    st.lists(MOVES, min_size=1, max_size=70),
    st.sampled_from([HOUR_MS // 4, HOUR_MS, 4 * HOUR_MS, 24 * HOUR_MS]),
)
SHORT = settings(max_examples=150, deadline=None)


def real_like_day() -> Candles:
    """Return two days of a lively market: waves with noise, the same in every run."""
    numbers = np.random.default_rng(31)
    moves = np.rint(numbers.normal(0, 4, 192) + 3 * np.sin(np.arange(192) / 9)).astype(int)
    wicks = numbers.integers(0, 8, (2, 192))
    volumes = numbers.integers(50, 400, 192)
    rows = zip(moves.tolist(), *wicks.tolist(), volumes.tolist(), strict=True)
    return walk(list(rows), step_ms=HOUR_MS // 4)


def _published(analysis: WindowAnalysis) -> dict[str, list[tuple[Any, ...]]]:
    """Return what no later candle may change."""
    return {
        "swings": list(analysis.swings),
        "gaps": [(g.index, g.direction, g.top, g.bottom, g.strength) for g in analysis.gaps],
        "order_blocks": [
            replace(b, touched_at=None, invalidated_at=None) for b in analysis.order_blocks
        ],
        "breaks": list(analysis.breaks),
        "pools": [(p.created_at, p.side, p.kind) for p in analysis.pools],
        "sweeps": list(analysis.sweeps),
    }


def _facts(analysis: WindowAnalysis) -> list[list[int | None]]:
    """Return the candles that made something true: `None` may become a candle, nothing else."""
    return [
        [gap.touched_at for gap in analysis.gaps],
        [gap.filled_at for gap in analysis.gaps],
        [block.touched_at for block in analysis.order_blocks],
        [block.invalidated_at for block in analysis.order_blocks],
        [pool.taken_at for pool in analysis.pools],
    ]


def _known_at(analysis: WindowAnalysis) -> dict[str, list[int]]:
    """Return the candle that each finding says it became known at."""
    return {
        "swings": [swing.confirmed_at for swing in analysis.swings],
        "gaps": [gap.index for gap in analysis.gaps],
        "order_blocks": [block.confirmed_at for block in analysis.order_blocks],
        "breaks": [found.index for found in analysis.breaks],
        "pools": [pool.created_at for pool in analysis.pools],
        "sweeps": [sweep.index for sweep in analysis.sweeps],
    }


def assert_nothing_is_withdrawn(candles: Candles) -> None:
    """Feed every prefix: what is known stays, and nothing comes later than it says."""
    before = analyse(candles.part(0, 0))
    for count in range(1, len(candles) + 1):
        now = analyse(candles.part(0, count))
        earlier, later = _published(before), _published(now)
        for name, findings in earlier.items():
            assert later[name][: len(findings)] == findings, f"{name} at candle {count - 1}"
            assert set(_known_at(now)[name][len(findings) :]) <= {count - 1}, name
        for known, known_now in zip(_facts(before), _facts(now), strict=True):
            for was, is_now in zip(known, known_now, strict=False):
                assert is_now == (count - 1 if was is None and is_now is not None else was)
        for pool, pool_now in zip(before.pools, now.pools, strict=False):
            assert pool_now.touches >= pool.touches
            outwards = pool_now.price - pool.price
            assert outwards >= 0 if pool.side is Side.BUY else outwards <= 0
            if pool.taken_at is not None:
                assert (pool_now.price, pool_now.touches) == (pool.price, pool.touches)
            if pool.outcome in ("sweep", "run"):
                assert pool_now == pool
        for gap, gap_now in zip(before.gaps, now.gaps, strict=False):
            assert gap_now.fill >= gap.fill
        before = now


@SHORT
@given(WALKS)
def test_nothing_published_is_withdrawn(candles: Candles) -> None:
    assert_nothing_is_withdrawn(candles)


def test_nothing_published_is_withdrawn_on_a_lively_market() -> None:
    assert_nothing_is_withdrawn(real_like_day())


#: Real markets in points, the last digit that their feeds quote: whole numbers, exact in doubles.
FEEDS = {
    "XAUUSD_M15_mt5charan_2025-01_to_2026-01_SERVER-EU": ("server-eu", 100),
    "XAUUSD_H4_mt5pote_2025-01_to_2026-01_SERVER-EU": ("server-eu", 100),
    "XAUUSD_H1_oanda_2006-03_to_2017-12_UTC": ("utc", 1000),
    "EURUSD_M15_dukascopy_2025-02_to_2025-06_UTC": ("utc", 100_000),
    "GBPUSD_H1_mt5charan_2025H1_SERVER-EU": ("server-eu", 100_000),
}
_FROM_EACH = 12


@pytest.fixture(scope="module", params=FEEDS)
def real_windows(request: pytest.FixtureRequest, shared: Path) -> list[Candles]:
    """Windows of 200 real candles, spread evenly over a file."""
    path = shared / "data" / f"{request.param}.csv.gz"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    clock, points = FEEDS[request.param]
    candles = read_candles(path, clock)
    starts = np.linspace(0, len(candles) - WINDOW, _FROM_EACH).astype(int)
    return [_in_points(candles.part(start, start + WINDOW), points) for start in starts.tolist()]


def _in_points(candles: Candles, points: int) -> Candles:
    prices = (candles.open, candles.high, candles.low, candles.close)
    return Candles(candles.time_ms, *(np.rint(each * points) for each in prices), candles.volume)


def test_nothing_published_is_withdrawn_on_real_days(real_windows: list[Candles]) -> None:
    for candles in real_windows:
        assert_nothing_is_withdrawn(candles)


def test_mirrored_real_prices_give_mirrored_findings(real_windows: list[Candles]) -> None:
    one_sided = [window for window in real_windows if not _breaks_both_ways_at_once(window)]
    assert one_sided
    for candles in one_sided:
        assert_mirrored(candles, around=2.0 ** (int(candles.high.max()).bit_length() + 1))


@pytest.mark.parametrize("scale", [0.25, 2.0, 64.0])
def test_scaled_real_prices_give_scaled_findings(real_windows: list[Candles], scale: float) -> None:
    for candles in real_windows:
        assert_scaled(candles, scale)


def _without_round(block: OrderBlock) -> OrderBlock:
    # Round numbers are not where their mirror images are, nor twice as large on a doubled price.
    score = block_score(
        high_volume=block.high_volume,
        rejection=block.rejection,
        near_round=False,
        has_fvg=block.has_fvg,
    )
    return replace(block, near_round=False, score=score)


def _turned(analysis: WindowAnalysis, around: float) -> WindowAnalysis:
    """Return the findings as they are in the picture mirrored at ``around / 2``."""
    bias = {Bias.BULLISH: Bias.BEARISH, Bias.BEARISH: Bias.BULLISH}
    trend = {Trend.UP: Trend.DOWN, Trend.DOWN: Trend.UP, Trend.NONE: Trend.NONE}
    kind = {SwingKind.HIGH: SwingKind.LOW, SwingKind.LOW: SwingKind.HIGH}
    label = {"HH": "LL", "LL": "HH", "LH": "HL", "HL": "LH", None: None}
    side = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
    period = str.maketrans("HL", "LH")

    def zone(found: Any) -> Any:
        top, bottom = around - found.bottom, around - found.top
        return replace(found, direction=bias[found.direction], top=top, bottom=bottom)

    def pool_kind(name: Any) -> Any:
        return name if name == "SWING" else type(name)(name.translate(period))

    return dataclasses.replace(
        analysis,
        swings=tuple(
            replace(s, kind=kind[s.kind], price=around - s.price, label=label[s.label])
            for s in analysis.swings
        ),
        gaps=tuple(zone(gap) for gap in analysis.gaps),
        order_blocks=tuple(zone(_without_round(block)) for block in analysis.order_blocks),
        breaks=tuple(
            replace(b, direction=trend[b.direction], level=around - b.level)
            for b in analysis.breaks
        ),
        pools=tuple(
            replace(p, side=side[p.side], kind=pool_kind(p.kind), price=around - p.price)
            for p in analysis.pools
        ),
        sweeps=tuple(
            replace(s, direction=bias[s.direction], kind=pool_kind(s.kind), price=around - s.price)
            for s in analysis.sweeps
        ),
        trend=trend[analysis.trend],
        position=None if analysis.position is None else 1 - analysis.position,
    )


def _one_order(analysis: WindowAnalysis) -> WindowAnalysis:
    """Return the findings in an order that does not say high before low or buy before sell."""
    return dataclasses.replace(
        analysis,
        swings=tuple(sorted(analysis.swings, key=lambda s: (s.index, s.kind))),
        order_blocks=tuple(_without_round(block) for block in analysis.order_blocks),
        pools=tuple(sorted(analysis.pools, key=lambda p: (p.created_at, p.side, p.kind))),
        sweeps=tuple(sorted(analysis.sweeps, key=lambda s: (s.index, s.price, s.kind))),
        position=None,
    )


def _breaks_both_ways_at_once(candles: Candles) -> bool:
    """Return whether a candle might close above the reference high and below the reference low."""
    highs, lows = inf, -inf
    for swing in analyse(candles).swings:
        if swing.kind is SwingKind.HIGH:
            highs = swing.price
        else:
            lows = swing.price
        if highs < lows:
            return True
    return False


@SHORT
@given(WALKS)
def test_mirrored_prices_give_mirrored_findings(candles: Candles) -> None:
    # Where a high stands below a low, an upward break goes first: the one rule with a side.
    assume(not _breaks_both_ways_at_once(candles))
    assert_mirrored(candles, around=4096.0)


def assert_mirrored(candles: Candles, *, around: float) -> None:
    mirror = Candles(
        candles.time_ms,
        around - candles.open,
        around - candles.low,
        around - candles.high,
        around - candles.close,
        candles.volume,
    )
    found, turned = analyse(candles), analyse(mirror)
    assert _one_order(turned) == _one_order(_turned(found, around))
    if found.position is None:
        assert turned.position is None
    else:
        assert turned.position == pytest.approx(1 - found.position)


@SHORT
@given(WALKS, st.sampled_from([0.25, 2.0, 64.0]))
def test_scaled_prices_give_scaled_findings(candles: Candles, scale: float) -> None:
    assert_scaled(candles, scale)


def assert_scaled(candles: Candles, scale: float) -> None:
    scaled = Candles(
        candles.time_ms,
        candles.open * scale,
        candles.high * scale,
        candles.low * scale,
        candles.close * scale,
        candles.volume,
    )
    found, bigger = analyse(candles), analyse(scaled)

    def zone(finding: Any) -> Any:
        return replace(finding, top=finding.top * scale, bottom=finding.bottom * scale)

    def priced(finding: Any) -> Any:
        return replace(finding, price=finding.price * scale)

    assert dataclasses.replace(
        bigger, order_blocks=tuple(_without_round(block) for block in bigger.order_blocks)
    ) == dataclasses.replace(
        found,
        swings=tuple(priced(swing) for swing in found.swings),
        gaps=tuple(zone(gap) for gap in found.gaps),
        order_blocks=tuple(zone(_without_round(block)) for block in found.order_blocks),
        breaks=tuple(replace(b, level=b.level * scale) for b in found.breaks),
        pools=tuple(priced(pool) for pool in found.pools),
        sweeps=tuple(
            replace(priced(sweep), penetration=sweep.penetration * scale) for sweep in found.sweeps
        ),
    )


def test_view_is_what_still_stands_of_the_analysis() -> None:
    candles = real_like_day()
    found, seen = analyse(candles), view(candles, Timeframe.M15)
    assert seen.close_time_ms == int(candles.time_ms[-1]) + 900_000
    assert seen.candles == 192
    assert seen.structure.trend is found.trend
    assert seen.structure.trend_strength == found.trend_strength
    assert seen.structure.position == found.position
    assert seen.structure.breaks == found.breaks[-6:]
    assert seen.structure.swings == found.swings[-8:]
    assert seen.structure.close == float(candles.close[-1])
    assert seen.gaps.gaps == tuple(g for g in found.gaps if g.filled_at is None)
    assert seen.order_blocks.order_blocks == tuple(
        block for block in found.order_blocks if block.invalidated_at is None
    )
    assert seen.liquidity.pools == tuple(p for p in found.pools if p.taken_at is None)
    assert seen.liquidity.sweeps == tuple(s for s in found.sweeps if s.index >= 172)
    assert all((seen.gaps.gaps, seen.order_blocks.order_blocks, seen.liquidity.sweeps))


def test_view_is_the_same_whole_or_in_its_four_parts() -> None:
    candles = real_like_day()
    seen = view(candles, Timeframe.M15)
    assert seen.structure == view_structure(candles)
    assert seen.gaps == view_gaps(candles)
    assert seen.order_blocks == view_order_blocks(candles)
    assert seen.liquidity == view_liquidity(candles)


def test_view_travels_between_workers_unchanged() -> None:
    seen = view(real_like_day(), Timeframe.M15)
    assert msgspec.convert(msgspec.to_builtins(seen), TimeframeView) == seen
    assert msgspec.json.decode(msgspec.json.encode(seen), type=TimeframeView) == seen


def test_one_candle_has_a_view_and_nothing_in_it() -> None:
    seen = view(draw((10, 12, 9, 11)), Timeframe.H1)
    assert seen.structure.atr == 3.0
    assert (seen.structure.position, seen.structure.range_high, seen.gaps.gaps) == (None, None, ())
