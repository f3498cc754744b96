"""Estimates, their intervals, and when nothing is said."""

import pytest

from signals_app.probability.estimate import (
    Bucket,
    EventType,
    Measured,
    MeasuredEventKind,
    Probability,
    estimate,
    look_up,
    wilson,
)
from signals_app.smc.measures import Bias
from tests.signals_app.probability.examples import measured


def test_an_estimate_leans_on_random_entries_by_twenty_outcomes() -> None:
    p, low, high = estimate(wins=120, n=200, p0=0.5) or (0, 0, 0)

    assert p == (120 + 20 * 0.5) / 220
    assert (low, high) == wilson(120, 200)


def test_below_two_hundred_outcomes_nothing_is_measured() -> None:
    assert estimate(wins=120, n=199, p0=0.5) is None


def test_without_random_entries_nothing_is_measured() -> None:
    assert estimate(wins=120, n=200, p0=None) is None


def test_wilsons_interval_is_that_of_the_textbooks() -> None:
    assert wilson(50, 100) == pytest.approx((0.4038, 0.5962), abs=5e-5)
    assert wilson(1, 10) == pytest.approx((0.0179, 0.4042), abs=5e-5)


def test_wilsons_interval_stays_within_the_possible() -> None:
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == pytest.approx(1.0)


def bucket(tercile: int, above: float | None, to: float | None) -> Probability:
    name = Bucket(EventType.SWEEP, MeasuredEventKind.SWING, Bias.BULLISH, tercile)
    return measured(name, score_above=above, score_to=to)


def test_a_score_on_a_bound_belongs_to_the_lower_third() -> None:
    lowest, middle, highest = bucket(1, None, 0.5), bucket(2, 0.5, 0.65), bucket(3, 0.65, None)

    def found(score: float) -> Probability | None:
        return look_up(
            (lowest, middle, highest), EventType.SWEEP, MeasuredEventKind.SWING, Bias.BULLISH, score
        )

    assert [found(score) for score in (0.3, 0.5, 0.65, 0.8)] == [lowest, lowest, middle, highest]


def test_the_other_direction_is_measured_on_its_own() -> None:
    wanted = (EventType.SWEEP, MeasuredEventKind.SWING, Bias.BEARISH)

    assert look_up([bucket(1, None, None)], *wanted, 0.5) is None


def test_a_probability_is_shown_beside_that_of_random_entries() -> None:
    text = str(Measured(0.543, 0.488, 0.594, 1812, 0.521))

    assert text == "54% [49-59], n=1,812; random entries 52%"


def test_a_probability_without_its_random_entries_is_shown_alone() -> None:
    assert str(Measured(0.543, 0.488, 0.594, 1812, None)) == "54% [49-59], n=1,812"


def test_a_buckets_scores_are_named_by_their_bounds() -> None:
    limits = (None, 0.5), (0.5, 0.65), (0.65, None), (None, None), (48.4712, None)

    assert [bucket(1, *each).scores for each in limits] == [
        "score up to 0.5",
        "score above 0.5 up to 0.65",
        "score above 0.65",
        "any score",
        "score above 48.47",
    ]
