"""A bucket as a calibration measures it."""

from signals_app.probability.estimate import Bucket, EventKind, EventType, Probability
from signals_app.smc.measures import Bias

#: Retests of bearish gaps of the lowest third of scores.
GAPS = Probability(
    Bucket(EventType.FVG, EventKind.RETEST, Bias.BEARISH, 1),
    *(None, 70.0, 900, 369),
    *(0.43, 0.41, 0.38, 0.44),
    *(0.42, 3600),
)
