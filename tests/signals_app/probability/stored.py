"""Measured probabilities in the database."""

from dataclasses import replace
from datetime import UTC, datetime

from signals_app.market.candle import Timeframe
from signals_app.probability.estimate import Bucket, EventType, MeasuredEventKind, Probability
from signals_app.services.calibration import store_probabilities
from signals_app.smc.measures import Bias

MADE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RETEST = Probability(
    Bucket(EventType.ORDER_BLOCK, MeasuredEventKind.RETEST, Bias.BULLISH, 3),
    *(0.5, None, 812, 440),
    *(0.5, 0.54, 0.49, 0.59),
    *(0.51, 3000),
)
UNKNOWN = replace(
    RETEST,
    bucket=Bucket(EventType.SWEEP, MeasuredEventKind.WEEK, Bias.BEARISH, 1),
    n=40,
    wins=20,
    p=None,
    low=None,
    high=None,
)


def store(
    *measured: Probability,
    symbol: str = "XAUUSD",
    timeframe: Timeframe = Timeframe.H1,
    until_ms: int = 1_704_067_200_000,
    made: datetime = MADE,
) -> None:
    store_probabilities(
        symbol,
        timeframe,
        measured,
        data_from_ms=1_262_304_000_000,
        data_to_ms=until_ms,
        made_at=made,
    )
