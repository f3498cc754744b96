"""Buckets as a calibration measures them."""

from signals_app.probability.estimate import Bucket, EventType, MeasuredEventKind, Probability
from signals_app.smc.measures import Bias


def measured(
    bucket: Bucket,
    *,
    score_above: float | None = None,
    score_to: float | None = None,
    n: int = 300,
    wins: int = 150,
    p: float = 0.5,
    interval: tuple[float, float] = (0.44, 0.56),
    p0: float | None = 0.5,
    placebo: float | None = None,
    placebo_n: int = 0,
) -> Probability:
    """A bucket with enough outcomes; half of its events and of its random entries won."""
    low, high = interval
    return Probability(
        bucket=bucket,
        score_above=score_above,
        score_to=score_to,
        n=n,
        wins=wins,
        p0=p0,
        p=p,
        low=low,
        high=high,
        placebo=placebo,
        placebo_n=placebo_n,
    )


#: Retests of bearish gaps of the lowest third of scores.
GAPS = measured(
    Bucket(EventType.FVG, MeasuredEventKind.RETEST, Bias.BEARISH, tercile=1),
    score_to=70.0,
    n=900,
    wins=369,
    p=0.41,
    interval=(0.38, 0.44),
    p0=0.43,
    placebo=0.42,
    placebo_n=3600,
)
