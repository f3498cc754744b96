"""The views and analyses of `definition`, made from the rows of the compiled kernel."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeAlias

import numpy as np

from signals_app.market.calendar import NEW_YORK, milliseconds
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.tick import Int64s
from signals_app.smc import (
    fair_value_gap,
    kernel,
    liquidity,
    measures,
    order_block,
    structure,
    swings,
)
from signals_app.smc.definition import (
    VIEW_BREAKS,
    VIEW_SWEEP_CANDLES,
    VIEW_SWINGS,
    Analysis,
    GapView,
    LiquidityView,
    OrderBlockView,
    StructureView,
    TimeframeView,
)
from signals_app.smc.fair_value_gap import FairValueGap
from signals_app.smc.liquidity import LiquidityPool, LiquiditySweep, Outcome, PoolKind, Side
from signals_app.smc.measures import Bias
from signals_app.smc.order_block import OrderBlock
from signals_app.smc.structure import BreakKind, DealingRange, StructureBreak, Trend
from signals_app.smc.swings import Swing, SwingKind

RULES = kernel.Rules(
    atr_period=measures.ATR_PERIOD,
    relvol_hour_candles=measures.RELVOL_HOUR_CANDLES,
    relvol_candles=measures.RELVOL_CANDLES,
    round_step_atr=measures.ROUND_STEP_ATR,
    swing_length=swings.SWING_LENGTH,
    size_weight=fair_value_gap.SIZE_WEIGHT,
    body_weight=fair_value_gap.BODY_WEIGHT,
    volume_weight=fair_value_gap.VOLUME_WEIGHT,
    full_relvol=fair_value_gap.FULL_RELVOL,
    impulse_candles=order_block.IMPULSE_CANDLES,
    displacement_atr=order_block.DISPLACEMENT_ATR,
    high_relvol=order_block.HIGH_RELVOL,
    rejection_wick=order_block.REJECTION_WICK,
    near_round_atr=order_block.NEAR_ROUND_ATR,
    block_base=order_block.BASE_SCORE,
    block_volume=order_block.VOLUME_SCORE,
    block_rejection=order_block.REJECTION_SCORE,
    block_round=order_block.ROUND_SCORE,
    block_gap=order_block.GAP_SCORE,
    full_trend_breaks=structure.FULL_TREND_BREAKS,
    efficiency_candles=structure.EFFICIENCY_CANDLES,
    breaks_weight=structure.BREAKS_WEIGHT,
    efficiency_weight=structure.EFFICIENCY_WEIGHT,
    equal_tolerance_atr=liquidity.EQUAL_TOLERANCE_ATR,
    reclaim_candles=liquidity.RECLAIM_CANDLES,
    equal_touches=liquidity.EQUAL_TOUCHES,
    spike_relvol=liquidity.SPIKE_RELVOL,
    long_wick=liquidity.LONG_WICK,
    sweep_base=liquidity.BASE_SCORE,
    sweep_same_candle=liquidity.SAME_CANDLE_SCORE,
    sweep_spike=liquidity.SPIKE_SCORE,
    sweep_wick=liquidity.WICK_SCORE,
    sweep_pool=liquidity.POOL_SCORE,
    view_sweep_candles=VIEW_SWEEP_CANDLES,
)


def analyse(candles: Candles) -> Analysis:
    """See `definition.analyse`."""
    if not len(candles):
        return Analysis(0, (), (), (), (), (), (), Trend.NONE, 0.0, None)
    found = find(candles)
    all_swings, breaks = _swings(found.swings), _breaks(found.breaks)
    dealing = _dealing_range(found.swings)
    return Analysis(
        candles=len(candles),
        swings=all_swings,
        gaps=_gaps(found.gaps),
        order_blocks=_order_blocks(found.order_blocks),
        breaks=breaks,
        pools=_pools(found.pools),
        sweeps=_sweeps(found.sweeps),
        trend=structure.trend_of(breaks),
        trend_strength=found.strength,
        position=dealing.position(float(candles.close[-1])) if dealing else None,
    )


def find(candles: Candles) -> kernel.Everything:
    """Return the findings of at least one candle as the kernel's columns: what `analyse` reads."""
    return kernel.everything(*columns(candles), tables(), RULES, False)


def view(candles: Candles, timeframe: Timeframe) -> TimeframeView:
    """See `definition.view`."""
    time_ms, prices, volume = columns(candles)
    found = kernel.everything(time_ms, prices, volume, tables(), RULES, True)
    return TimeframeView(
        timeframe=timeframe,
        close_time_ms=int(time_ms[-1]) + timeframe.milliseconds,
        candles=len(time_ms),
        structure=_structure(found.swings, found.breaks, found.strength, found.atr, candles),
        gaps=GapView(_gaps(found.gaps)),
        order_blocks=OrderBlockView(_order_blocks(found.order_blocks)),
        liquidity=LiquidityView(_pools(found.pools), _sweeps(found.sweeps)),
    )


def view_structure(candles: Candles) -> StructureView:
    """See `definition.view_structure`."""
    found, breaks, strength, atr = kernel.structure(columns(candles)[1], RULES)
    return _structure(found, breaks, strength, atr, candles)


def view_gaps(candles: Candles) -> GapView:
    """See `definition.view_gaps`."""
    return GapView(_gaps(kernel.open_gaps(*columns(candles), RULES)))


def view_order_blocks(candles: Candles) -> OrderBlockView:
    """See `definition.view_order_blocks`."""
    return OrderBlockView(_order_blocks(kernel.standing_blocks(*columns(candles), tables(), RULES)))


def view_liquidity(candles: Candles) -> LiquidityView:
    """See `definition.view_liquidity`."""
    pools, sweeps = kernel.resting_liquidity(*columns(candles), tables(), RULES)
    return LiquidityView(_pools(pools), _sweeps(sweeps))


def warm_up() -> None:
    """Call every compiled entry once, on one candle."""
    price = np.ones(1)
    candles = Candles(np.zeros(1, dtype=np.int64), price, price, price, price, price)
    analyse(candles)
    view(candles, Timeframe.M15)
    view_structure(candles)
    view_gaps(candles)
    view_order_blocks(candles)
    view_liquidity(candles)


_BIAS = (Bias.BULLISH, Bias.BEARISH)
_REVERSAL = (Bias.BEARISH, Bias.BULLISH)
_SIDE = (Side.BUY, Side.SELL)
_TREND = (Trend.UP, Trend.DOWN)
_BREAK_KIND = (BreakKind.BOS, BreakKind.CHOCH)
_SWING_KIND = (SwingKind.HIGH, SwingKind.LOW)
_LABEL = (None, "HH", "LH", "LL", "HL")
_POOL_KIND = (PoolKind.SWING, PoolKind.PDH, PoolKind.PDL, PoolKind.PWH, PoolKind.PWL)
_OUTCOME = (Outcome.SWEEP, Outcome.RUN, Outcome.PENDING, None)  # the last at place -1


_Columns: TypeAlias = tuple[Int64s, kernel.Values, kernel.Values]


def columns(candles: Candles) -> _Columns:
    """Return the candles as the kernel takes them: times, (open, high, low, close), volumes."""
    # Fresh arrays, so that the kernel meets one memory layout and is compiled for no other.
    prices = np.array((candles.open, candles.high, candles.low, candles.close), dtype=np.float64)
    volume = np.array(candles.volume, dtype=np.float64)
    return np.array(candles.time_ms, dtype=np.int64), prices, volume


def _structure(
    found: kernel.Found,
    found_breaks: kernel.Found,
    strength: float,
    atr: float,
    candles: Candles,
) -> StructureView:
    breaks = _breaks(_last(found_breaks, VIEW_BREAKS))
    dealing = _dealing_range(found)
    close = float(candles.close[-1])
    return StructureView(
        trend=structure.trend_of(breaks),
        trend_strength=strength,
        position=dealing.position(close) if dealing else None,
        range_high=dealing.high if dealing else None,
        range_low=dealing.low if dealing else None,
        breaks=breaks,
        swings=_swings(_last(found, VIEW_SWINGS)),
        close=close,
        atr=atr,
    )


def _dealing_range(found: kernel.Found) -> DealingRange | None:
    table, prices = found
    last: list[float | None] = [None, None]
    place = table.shape[1] - 1
    while place >= 0 and None in last:
        side = int(table[1, place])
        if last[side] is None:
            last[side] = float(prices[0, place])
        place -= 1
    high, low = last
    if high is None or low is None or high <= low:
        return None
    return DealingRange(low, high)


def _last(found: kernel.Found, count: int) -> kernel.Found:
    return found[0][:, -count:], found[1][:, -count:]


def _swings(found: kernel.Found) -> tuple[Swing, ...]:
    index, side, label = found[0].tolist()
    (price,) = found[1].tolist()
    confirmed_at = [i + swings.SWING_LENGTH for i in index]
    kind = [_SWING_KIND[s] for s in side]
    labels = [_LABEL[which] for which in label]
    return tuple(map(Swing, index, confirmed_at, kind, price, labels))


def _breaks(found: kernel.Found) -> tuple[StructureBreak, ...]:
    index, kind, direction, swing_index = found[0].tolist()
    (level,) = found[1].tolist()
    kinds = [_BREAK_KIND[k] for k in kind]
    directions = [_TREND[d] for d in direction]
    return tuple(map(StructureBreak, index, kinds, directions, level, swing_index))


def _gaps(found: kernel.Found) -> tuple[FairValueGap, ...]:
    index, side, touched, filled = found[0].tolist()
    direction = [_BIAS[s] for s in side]
    top, bottom, strength, fill = found[1].tolist()
    return tuple(
        map(
            FairValueGap,
            index,
            direction,
            top,
            bottom,
            strength,
            _came(touched),
            _came(filled),
            fill,
        )
    )


def _order_blocks(found: kernel.Found) -> tuple[OrderBlock, ...]:
    index, confirmed, side, *qualities, touched, invalidated = found[0].tolist()
    top, bottom, score = found[1].tolist()
    direction = [_BIAS[s] for s in side]
    high_volume, rejection, near_round, has_fvg = (map(bool, column) for column in qualities)
    return tuple(
        map(
            OrderBlock,
            index,
            confirmed,
            direction,
            top,
            bottom,
            high_volume,
            rejection,
            near_round,
            has_fvg,
            score,
            _came(touched),
            _came(invalidated),
        )
    )


def _pools(found: kernel.Found) -> tuple[LiquidityPool, ...]:
    created, side, kind, touches, taken, outcome = found[0].tolist()
    (price,) = found[1].tolist()
    sides = [_SIDE[s] for s in side]
    kinds = [_POOL_KIND[k] for k in kind]
    outcomes = [_OUTCOME[o] for o in outcome]
    return tuple(map(LiquidityPool, created, sides, kinds, price, touches, _came(taken), outcomes))


def _sweeps(found: kernel.Found) -> tuple[LiquiditySweep, ...]:
    index, taken, side, kind, spike = found[0].tolist()
    price, penetration, wick, score = found[1].tolist()
    direction = [_REVERSAL[s] for s in side]
    kinds = [_POOL_KIND[k] for k in kind]
    return tuple(
        map(
            LiquiditySweep,
            index,
            taken,
            direction,
            price,
            kinds,
            penetration,
            map(bool, spike),
            wick,
            score,
        )
    )


def _came(indices: list[int]) -> list[int | None]:
    return [None if index < 0 else index for index in indices]


@cache
def tables() -> kernel.Tables:
    """Return what the kernel looks up."""
    since, ahead = _new_york_clock()
    return kernel.Tables(np.array(measures.ROUND_STEPS), since, ahead)


def _new_york_clock() -> tuple[Int64s, Int64s]:
    """Return since when (Unix ms) New York is how far ahead of UTC (ms), for 1900 to 2262."""
    hour, weeks = timedelta(hours=1), timedelta(weeks=3)
    # Until then whole hours were not kept; after that pandas knows no time.
    moment, end = datetime(1900, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC)
    changes = [(moment, _ahead(moment))]
    while moment < end:
        before = changes[-1][1]
        if _ahead(moment + weeks) != before:
            # Clocks change on whole hours; no change is taken back within these weeks.
            low, high = 0, weeks // hour
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (
                    (low, middle) if _ahead(moment + middle * hour) != before else (middle, high)
                )
            changed = moment + high * hour
            changes.append((changed, _ahead(changed)))
        moment += weeks
    since = [milliseconds(moment) for moment, _ in changes]
    ahead = [int(ahead.total_seconds()) * 1000 for _, ahead in changes]
    return np.array(since, dtype=np.int64), np.array(ahead, dtype=np.int64)


def _ahead(moment: datetime) -> timedelta:
    ahead = moment.astimezone(NEW_YORK).utcoffset()
    assert ahead is not None
    return ahead
