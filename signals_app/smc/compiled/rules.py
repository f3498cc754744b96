"""The detectors' parameters and look-up tables as the kernel takes them."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from signals_app.market.calendar import NEW_YORK, milliseconds
from signals_app.market.tick import Int64s
from signals_app.smc import fair_value_gap, liquidity, measures, order_block, structure, swings
from signals_app.smc.compiled.kernel import Rules, Tables
from signals_app.smc.views import VIEW_SWEEP_CANDLES

RULES = Rules(
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


@cache
def tables() -> Tables:
    """The look-up tables, made once."""
    since, ahead = _new_york_clock()
    return Tables(np.array(measures.ROUND_STEPS), since, ahead)


def _new_york_clock() -> tuple[Int64s, Int64s]:
    """Since when (Unix ms) New York is how far ahead of UTC (ms), for 1900 to 2262."""
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
