"""Probabilities fitted to price history, on outcomes that were known before a moment.

So each year can be predicted from the years before it: what the probabilities are worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from signals_app.market.candle import Candles, Timeframe
from signals_app.market.tick import Float64s, Int64s
from signals_app.probability.estimate import (
    BIASES,
    EVENT_KINDS,
    EVENT_TYPES,
    Bucket,
    Probability,
    estimate,
)
from signals_app.probability.events import find_events
from signals_app.probability.outcomes import Int32s, measure


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Events with their outcomes, of one or more runs of candles; columns, times in Unix ms.

    `time_ms` is the close that the event was known at, `known_ms` the one that its outcome was.
    Of the controls there are a row for each event and a column for each draw, `won` -1 for none.
    """

    type: Int64s
    kind: Int64s
    side: Int64s
    score: Float64s
    time_ms: Int64s
    known_ms: Int64s
    won: Int64s
    random_known_ms: Int64s
    random_won: Int32s
    placebo_known_ms: Int64s
    placebo_won: Int32s

    def __len__(self) -> int:
        return len(self.won)

    def part(self, chosen: "np.ndarray") -> "Sample":
        """The chosen events (a mask or places)."""
        return Sample(*(getattr(self, name)[chosen] for name in self.__slots__))

    @classmethod
    def joined(cls, samples: Sequence["Sample"]) -> "Sample":
        """The events of all samples, of which there is at least one."""
        return cls(
            *(np.concatenate([getattr(one, name) for one in samples]) for name in cls.__slots__)
        )


@dataclass(frozen=True, slots=True)
class Band:
    """Events with similar predictions: the mean prediction, and the win rate that followed.

    `calibrate --json` prints the fields under these names.
    """

    n: int
    foretold: float
    happened: float


@dataclass(frozen=True, slots=True)
class WalkForward:
    """How probabilities fitted on earlier years did in the year after.

    `error` is the mean squared error of the probabilities (Brier), `error_random` that of the
    matched random entries' rate for the same events. `bands` go from the lowest third of the
    predicted probabilities to the highest.
    """

    n: int
    error: float
    error_random: float
    bands: tuple[Band, ...]


def sample_of(candles: Candles, spread: Float64s, timeframe: Timeframe) -> Sample:
    """The events of one run of candles with their outcomes; ``spread`` is in price."""
    events = find_events(candles)
    outcomes = measure(candles, spread, events)
    ends = candles.time_ms + timeframe.milliseconds
    at = outcomes.event
    return Sample(
        type=events.type[at],
        kind=events.kind[at],
        side=events.side[at],
        score=events.score[at],
        time_ms=ends[events.index[at]],
        known_ms=ends[outcomes.known_at],
        won=outcomes.won,
        random_known_ms=ends[outcomes.random_known_at],
        random_won=outcomes.random_won,
        placebo_known_ms=ends[outcomes.placebo_known_at],
        placebo_won=outcomes.placebo_won,
    )


def fit(sample: Sample, before_ms: int | None = None) -> tuple[Probability, ...]:
    """What the outcomes known before ``before_ms`` (default: all) say of each bucket.

    Buckets without any are left out. The terciles are those of the type's and kind's scores, both
    directions together.
    """
    if before_ms is not None:
        sample = sample.part(sample.known_ms < before_ms)
    found: list[Probability] = []
    for type_, kind in sorted({(int(t), int(k)) for t, k in _pairs(sample)}):
        alike = sample.part((sample.type == type_) & (sample.kind == kind))
        bounds = _tercile_bounds(alike.score)
        places = _terciles(alike.score, bounds)
        limits = (None, *bounds, None)
        for side, direction in enumerate(BIASES):
            for tercile in range(1, 4):
                events = alike.part((alike.side == side) & (places == tercile))
                if len(events):
                    bucket = Bucket(EVENT_TYPES[type_], EVENT_KINDS[kind], direction, tercile)
                    found.append(
                        _probability(
                            bucket, (limits[tercile - 1], limits[tercile]), events, before_ms
                        )
                    )
    return tuple(found)


def walk_forward(sample: Sample, turns_ms: Sequence[int]) -> WalkForward | None:
    """How well each period was predicted by what was known at its beginning.

    ``turns_ms`` are the moments, ascending, at which probabilities are fitted anew; the last only
    ends the period before it. `None` where nothing could be predicted.
    """
    predictions: list[Float64s] = []
    for begin_ms, end_ms in pairwise(turns_ms):
        fitted = [each for each in fit(sample, begin_ms) if each.p is not None]
        coming = sample.part((sample.time_ms >= begin_ms) & (sample.time_ms < end_ms))
        predictions += [_predictions(probability, coming) for probability in fitted]
    columns = np.concatenate(predictions, axis=1) if predictions else np.empty((3, 0))
    p, p0, won = columns
    if not len(p):
        return None
    thirds = _terciles(p, _tercile_bounds(p))
    return WalkForward(
        n=len(p),
        error=float(np.mean((p - won) ** 2)),
        error_random=float(np.mean((p0 - won) ** 2)),
        bands=tuple(
            Band(
                int((thirds == third).sum()),
                float(p[thirds == third].mean()),
                float(won[thirds == third].mean()),
            )
            for third in range(1, 4)
            if (thirds == third).any()
        ),
    )


def _probability(
    bucket: Bucket,
    limits: tuple[float | None, float | None],
    events: Sample,
    before_ms: int | None,
) -> Probability:
    n, wins = len(events), int(events.won.sum())
    p0, _ = _rate(events.random_won, events.random_known_ms, before_ms)
    placebo, placebo_n = _rate(events.placebo_won, events.placebo_known_ms, before_ms)
    p, low, high = estimate(wins, n, p0) or (None, None, None)
    return Probability(bucket, *limits, n, wins, p0, p, low, high, placebo, placebo_n)


def _rate(won: Int32s, known_ms: Int64s, before_ms: int | None) -> tuple[float | None, int]:
    counted = won >= 0
    if before_ms is not None:
        counted &= known_ms < before_ms
    n = int(counted.sum())
    return (float(won[counted].mean()), n) if n else (None, 0)


def _predictions(probability: Probability, coming: Sample) -> Float64s:
    """Probability, random rate and outcome (rows) of the events that belong to the bucket."""
    bucket = probability.bucket
    belongs = (
        (coming.type == EVENT_TYPES.index(bucket.type))
        & (coming.kind == EVENT_KINDS.index(bucket.kind))
        & (coming.side == BIASES.index(bucket.direction))
    )
    if probability.score_above is not None:
        belongs &= coming.score > probability.score_above
    if probability.score_to is not None:
        belongs &= coming.score <= probability.score_to
    won = coming.won[belongs].astype(np.float64)
    return np.array((np.full(len(won), probability.p), np.full(len(won), probability.p0), won))


def _pairs(sample: Sample) -> "np.ndarray":
    return np.unique(np.array((sample.type, sample.kind)).T, axis=0)


def _tercile_bounds(scores: Float64s) -> tuple[float, float]:
    low, high = np.quantile(scores, (1 / 3, 2 / 3), method="inverted_cdf").tolist()
    return low, high


def _terciles(scores: Float64s, bounds: tuple[float, float]) -> Int64s:
    low, high = bounds
    return (1 + (scores > low) + (scores > high)).astype(np.int64)
