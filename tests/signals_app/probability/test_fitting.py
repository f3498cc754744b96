"""Probabilities fitted to outcomes, walk-forward."""

from dataclasses import replace

import numpy as np

from signals_app.probability.estimate import EventType, MeasuredEventKind, estimate, wilson
from signals_app.probability.fitting import Sample, fit, walk_forward
from signals_app.smc.measures import Bias

YEAR = 1000


def sample(won: list[int], scores: list[float] | None = None, start_ms: int = 0) -> Sample:
    """Return retests of bullish gaps a millisecond apart; half of the random entries win."""
    n = len(won)
    whole = np.zeros(n, dtype=np.int64)
    time_ms = start_ms + np.arange(n, dtype=np.int64)
    return Sample(
        type=whole + 1,
        kind=whole + 1,
        side=whole,
        score=np.array(scores if scores is not None else [50.0] * n),
        time_ms=time_ms,
        known_ms=time_ms + 5,
        won=np.array(won, dtype=np.int64),
        random_known_ms=np.stack((time_ms, time_ms + 10 * YEAR), axis=1),
        random_won=np.array([[place % 2, 1] for place in range(n)], dtype=np.int32),
        placebo_known_ms=np.stack((time_ms,), axis=1),
        placebo_won=np.full((n, 1), -1, dtype=np.int32),
    )


def test_a_bucket_is_its_outcomes_and_its_random_entries() -> None:
    (found,) = fit(sample([1, 1, 1, 0] * 100), before_ms=YEAR)

    bucket = found.bucket
    assert (bucket.type, bucket.kind, bucket.direction) == (
        EventType.FVG,
        MeasuredEventKind.RETEST,
        Bias.BULLISH,
    )
    assert (found.n, found.wins, found.p0) == (400, 300, 0.5)
    assert (found.p, found.low, found.high) == estimate(300, 400, 0.5)
    assert (found.low, found.high) == wilson(300, 400)
    assert (found.placebo, found.placebo_n) == (None, 0)


def test_what_became_known_later_says_nothing() -> None:
    every = sample([1, 0] * 200)

    # An outcome is known 5 ms after its event: of events 0..205 those before 201 are.
    (found,) = fit(every, before_ms=206)

    assert (found.n, found.wins) == (201, 101)
    assert fit(every, before_ms=3) == ()


def test_thirds_are_of_the_scores_and_a_few_outcomes_are_no_probability() -> None:
    scores = [float(place) for place in range(300)]

    found = fit(sample([1] * 300, scores))

    assert [(one.bucket.tercile, one.n, one.score_above, one.score_to) for one in found] == [
        (1, 100, None, 99.0),
        (2, 100, 99.0, 199.0),
        (3, 100, 199.0, None),
    ]
    assert [one.p for one in found] == [None] * 3


def test_a_year_is_predicted_from_the_years_before_it() -> None:
    first, second = sample([1, 1, 1, 0] * 100), sample([1, 1, 1, 0] * 50, start_ms=YEAR)
    both = Sample.joined([first, second])

    found = walk_forward(both, [YEAR, 2 * YEAR])

    assert found is not None
    (p, _, _) = estimate(300, 400, 0.5) or (0, 0, 0)
    (band,) = found.bands
    assert (found.n, band.foretold, band.happened) == (200, p, 0.75)
    assert found.error < found.error_random


def test_nothing_predicts_the_first_year() -> None:
    assert walk_forward(sample([1] * 300), [0, YEAR]) is None


def test_an_empty_sample_has_no_buckets() -> None:
    none = sample([1]).part(np.array([False]))

    assert fit(replace(none)) == ()
