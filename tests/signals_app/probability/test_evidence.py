"""What a signal leans on, as probabilities are looked up by."""

from dataclasses import replace

from signals_app.market.candle import Timeframe
from signals_app.probability.estimate import EventType, MeasuredEventKind
from signals_app.probability.evidence import Evidence, evidence_of
from signals_app.smc.liquidity import PoolKind
from signals_app.smc.measures import Bias
from tests.signals_app.confluence.views import block, gap, scored, sweep, zone

GAP = gap(2044.0, 2046.0, strength=71.5)
BLOCK = block(2043.0, 2045.0, score=0.75)
SWEEP = sweep(2043.5, kind=PoolKind.PDL)
BOTH = zone(Timeframe.H1, order_block=BLOCK, fair_value_gap=GAP)
SCORE = scored(leans_on=BOTH, swept=SWEEP)


def test_an_order_block_goes_before_its_gap_and_a_zone_before_a_sweep() -> None:
    gap_alone = replace(BOTH, order_block=None, timeframe=Timeframe.M15)

    assert evidence_of(SCORE) == Evidence(
        Timeframe.H1, EventType.ORDER_BLOCK, MeasuredEventKind.RETEST, Bias.BULLISH, 0.75
    )
    assert evidence_of(replace(SCORE, zone=gap_alone)) == Evidence(
        Timeframe.M15, EventType.FVG, MeasuredEventKind.RETEST, Bias.BULLISH, 71.5
    )


def test_a_days_low_is_looked_up_as_a_day() -> None:
    assert evidence_of(replace(SCORE, zone=None)) == Evidence(
        Timeframe.M15, EventType.SWEEP, MeasuredEventKind.DAY, Bias.BULLISH, 0.85
    )


def test_structure_alone_was_not_measured() -> None:
    assert evidence_of(replace(SCORE, zone=None, sweep=None)) is None
