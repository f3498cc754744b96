"""What a signal leans on, as probabilities are looked up by."""

from dataclasses import replace

from signals_app.confluence.scoring import Score
from signals_app.confluence.setup import Zone
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.probability.estimate import EventKind, EventType
from signals_app.probability.evidence import Evidence, evidence_of
from signals_app.smc.fair_value_gap import FairValueGap
from signals_app.smc.liquidity import LiquiditySweep, PoolKind
from signals_app.smc.measures import Bias
from signals_app.smc.order_block import OrderBlock

GAP = FairValueGap(20, Bias.BULLISH, 2046.0, 2044.0, 71.5, 25, None, 0.4)
BLOCK = OrderBlock(
    *(10, 12, Bias.BULLISH, 2045.0, 2043.0, True, False, False, True, 0.75, None, None),
)
SWEEP = LiquiditySweep(30, 29, Bias.BULLISH, 2043.5, PoolKind.PDL, 0.8, True, 0.6, 0.85)
BOTH = Zone(Timeframe.H1, BLOCK, GAP, 2046.0, 2043.0, 0.95, 0.0)
SCORE = Score(Direction.BUY, 85.0, 40.0, 30.0, 15.0, (), BOTH, SWEEP)


def test_an_order_block_goes_before_its_gap_and_a_zone_before_a_sweep() -> None:
    gap_alone = replace(BOTH, order_block=None, timeframe=Timeframe.M15)

    assert evidence_of(SCORE) == Evidence(
        Timeframe.H1, EventType.ORDER_BLOCK, EventKind.RETEST, Bias.BULLISH, 0.75
    )
    assert evidence_of(replace(SCORE, zone=gap_alone)) == Evidence(
        Timeframe.M15, EventType.FVG, EventKind.RETEST, Bias.BULLISH, 71.5
    )


def test_a_days_low_is_looked_up_as_a_day() -> None:
    assert evidence_of(replace(SCORE, zone=None)) == Evidence(
        Timeframe.M15, EventType.SWEEP, EventKind.DAY, Bias.BULLISH, 0.85
    )


def test_structure_alone_was_not_measured() -> None:
    assert evidence_of(replace(SCORE, zone=None, sweep=None)) is None
