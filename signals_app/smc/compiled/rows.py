"""The kernel's rows turned into the values that the rest of the product reads.

What stands in which column is said where the kernel makes them. Kinds and sides are places in the
tuples below.
"""

from signals_app.smc.compiled.kernel import Rows
from signals_app.smc.fair_value_gap import FairValueGap
from signals_app.smc.liquidity import LiquidityPool, LiquiditySweep, PoolKind, PoolOutcome, Side
from signals_app.smc.measures import Bias
from signals_app.smc.order_block import OrderBlock
from signals_app.smc.structure import BreakKind, DealingRange, StructureBreak, Trend
from signals_app.smc.swings import SWING_LENGTH, Swing, SwingKind

_BIAS = (Bias.BULLISH, Bias.BEARISH)
_REVERSAL = (Bias.BEARISH, Bias.BULLISH)
_SIDE = (Side.BUY, Side.SELL)
_TREND = (Trend.UP, Trend.DOWN)
_BREAK_KIND = (BreakKind.BOS, BreakKind.CHOCH)
_SWING_KIND = (SwingKind.HIGH, SwingKind.LOW)
_LABEL = (None, "HH", "LH", "LL", "HL")
_POOL_KIND = (PoolKind.SWING, PoolKind.PDH, PoolKind.PDL, PoolKind.PWH, PoolKind.PWL)
_OUTCOME = (PoolOutcome.SWEEP, PoolOutcome.RUN, PoolOutcome.PENDING, None)  # the last at place -1


def dealing_range_of(found: Rows) -> DealingRange | None:
    """The range of the last swing high and the last swing low, from the rows of all swings."""
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


def last_of(found: Rows, count: int) -> Rows:
    """The last ``count`` rows, as views."""
    return found[0][:, -count:], found[1][:, -count:]


def swings_of(found: Rows) -> tuple[Swing, ...]:
    index, side, label = found[0].tolist()
    (price,) = found[1].tolist()
    confirmed_at = [i + SWING_LENGTH for i in index]
    kind = [_SWING_KIND[s] for s in side]
    labels = [_LABEL[which] for which in label]
    return tuple(map(Swing, index, confirmed_at, kind, price, labels))


def breaks_of(found: Rows) -> tuple[StructureBreak, ...]:
    index, kind, direction, swing_index = found[0].tolist()
    (level,) = found[1].tolist()
    kinds = [_BREAK_KIND[k] for k in kind]
    directions = [_TREND[d] for d in direction]
    return tuple(map(StructureBreak, index, kinds, directions, level, swing_index))


def gaps_of(found: Rows) -> tuple[FairValueGap, ...]:
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
            _or_none(touched),
            _or_none(filled),
            fill,
        )
    )


def order_blocks_of(found: Rows) -> tuple[OrderBlock, ...]:
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
            _or_none(touched),
            _or_none(invalidated),
        )
    )


def pools_of(found: Rows) -> tuple[LiquidityPool, ...]:
    created, side, kind, touches, taken, outcome = found[0].tolist()
    (price,) = found[1].tolist()
    sides = [_SIDE[s] for s in side]
    kinds = [_POOL_KIND[k] for k in kind]
    outcomes = [_OUTCOME[o] for o in outcome]
    return tuple(
        map(LiquidityPool, created, sides, kinds, price, touches, _or_none(taken), outcomes)
    )


def sweeps_of(found: Rows) -> tuple[LiquiditySweep, ...]:
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


def _or_none(indices: list[int]) -> list[int | None]:
    return [None if index < 0 else index for index in indices]
