"""Which measured event a signal leans on: its order block, else its gap, else its sweep."""

from dataclasses import dataclass

from signals_app.confluence.scoring import Score
from signals_app.market.candle import Timeframe
from signals_app.probability.estimate import EventType, MeasuredEventKind
from signals_app.smc.liquidity import PoolKind
from signals_app.smc.measures import Bias

#: Kinds of pools as events are measured: a day's high and low are one kind, in two directions.
POOL_KINDS = {
    PoolKind.SWING: MeasuredEventKind.SWING,
    PoolKind.PDH: MeasuredEventKind.DAY,
    PoolKind.PDL: MeasuredEventKind.DAY,
    PoolKind.PWH: MeasuredEventKind.WEEK,
    PoolKind.PWL: MeasuredEventKind.WEEK,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A finding as probabilities are looked up by: its timeframe, bucket and own score."""

    timeframe: Timeframe
    type: EventType
    kind: MeasuredEventKind
    direction: Bias
    score: float


def evidence_of(best: Score) -> Evidence | None:
    """The finding that a score's trade leans on; `None` where that is structure alone.

    A zone is traded when price comes back to it, so that it is looked up as a retest.
    """
    zone, sweep = best.zone, best.sweep
    if zone is not None and zone.order_block is not None:
        block = zone.order_block
        return Evidence(
            zone.timeframe,
            EventType.ORDER_BLOCK,
            MeasuredEventKind.RETEST,
            block.direction,
            block.score,
        )
    if zone is not None and zone.gap is not None:
        gap = zone.gap
        return Evidence(
            zone.timeframe, EventType.FVG, MeasuredEventKind.RETEST, gap.direction, gap.strength
        )
    if sweep is not None:
        return Evidence(
            Timeframe.M15, EventType.SWEEP, POOL_KINDS[sweep.kind], sweep.direction, sweep.score
        )
    return None
