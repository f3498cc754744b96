"""Bands of scores, and what is said of them."""

from dataclasses import replace

from reports_app.assessment.reliability import reliability
from reports_app.assessment.scored_outcomes import ScoredOutcome
from reports_app.assessment.share_comparison import ShareAnswer
from signals_app.market.direction import Direction

BAND_MS = 48 * 900_000


def outcomes(score: float, won: int, lost: int, random: float = 0.5) -> list[ScoredOutcome]:
    """Return outcomes that follow each other without overlapping."""
    wins = round(40 * random)
    return [
        ScoredOutcome(
            score=score,
            direction=Direction.BUY,
            time_ms=place * BAND_MS,
            over_ms=(place + 1) * BAND_MS,
            won=place < won,
            random_wins=wins,
            random_n=40,
            r_multiple=1.0 if place < won else -1.0,
        )
        for place in range(won + lost)
    ]


def test_a_band_counts_its_wins_beside_random_entries() -> None:
    found = reliability(outcomes(85.0, 30, 10) + outcomes(100.0, 1, 0), threshold=80.0)

    band = found.bands[3]
    assert (band.from_score, band.to_score, band.n, band.wins) == (80.0, 90.0, 40, 30)
    assert (band.share, band.random_share, band.mean_r) == (0.75, 0.5, 0.5)
    assert found.bands[4].n == 1
    assert found.bands[0].share is None


def test_a_move_scored_at_three_closes_counts_once_among_the_lower_scores() -> None:
    first, *_ = outcomes(58.0, 1, 0)
    again = [
        replace(first, score=score, time_ms=later * 900_000, over_ms=BAND_MS + later * 900_000)
        for later, score in enumerate((66.0, 74.0), start=1)
    ]
    others = outcomes(85.0, 20, 20)

    found = reliability([first, *again, *others], threshold=80.0)

    assert found.verdicts[0] == (
        "Did higher scores do better? Too few outcomes to say: 40 from 80 on, 1 below."
    )
    assert [band.n for band in found.bands] == [1, 1, 1, 40, 0]
    assert found.signals == 43


def test_the_other_direction_at_the_same_time_is_an_outcome_of_its_own() -> None:
    one = outcomes(85.0, 1, 0)
    other = [replace(one[0], direction=Direction.SELL)]

    assert reliability(one + other, threshold=80.0).bands[3].n == 2


def test_higher_scores_that_did_better_are_said_to() -> None:
    found = reliability(outcomes(55.0, 100, 100) + outcomes(85.0, 140, 60), threshold=80.0)

    assert found.verdicts == (
        (
            "Did higher scores do better? Yes, by 20 points: scores from 80 on won 70.0% of 200, "
            "lower ones 50.0% of 200."
        ),
        (
            "Did scores from 80 on do better than random entries of the same direction, hour and "
            "distance? Yes, by 20 points: 70.0% of 200 against 50.0%."
        ),
    )
    assert found.bands[3].text == (
        "Scores 80-90 won 70.0% of 200. Lower scores won 50.0%: better, by 20 points. "
        "Random entries won 50.0%: better, by 20 points."
    )


def test_higher_scores_that_did_no_better_are_said_not_to() -> None:
    found = reliability(outcomes(55.0, 505, 495) + outcomes(85.0, 500, 500), threshold=80.0)

    assert found.verdicts == (
        (
            "Did higher scores do better? No, as far as can be seen: scores from 80 on won 50.0% "
            "of 1,000, lower ones 50.5% of 1,000. A difference of under about 4 points would not "
            "show with so many outcomes."
        ),
        (
            "Did scores from 80 on do better than random entries of the same direction, hour and "
            "distance? No, as far as can be seen: 50.0% of 1,000 against 50.0%. A difference of "
            "under about 3 points would not show with so many outcomes."
        ),
    )
    assert (found.bands[3].against_lower, found.bands[3].against_random) == (
        ShareAnswer.NO_DIFFERENCE,
        ShareAnswer.NO_DIFFERENCE,
    )


def test_of_few_outcomes_it_is_said_how_large_a_difference_could_not_show() -> None:
    found = reliability(outcomes(55.0, 495, 505) + outcomes(85.0, 17, 19), threshold=80.0)

    assert found.verdicts[0] == (
        "Did higher scores do better? Too few outcomes to say: scores from 80 on won 47.2% of 36, "
        "lower ones 49.5% of 1,000. A difference of under about 17 points would not show with so "
        "few."
    )
    assert found.bands[3].text == (
        "Scores 80-90 won 47.2% of 36. Lower scores won 49.5%: too few to say (only a difference "
        "from about 17 points on would show). Random entries won 50.0%: too few to say (only a "
        "difference from about 16 points on would show)."
    )


def test_higher_scores_that_did_worse_are_said_to() -> None:
    found = reliability(outcomes(55.0, 140, 60) + outcomes(85.0, 60, 140), threshold=80.0)

    assert [verdict.split("? ")[1].split(":")[0] for verdict in found.verdicts] == [
        "No, they did worse, by 40 points",
        "No, they did worse, by 20 points",
    ]


def test_each_band_is_compared_with_all_lower_ones() -> None:
    found = reliability(
        outcomes(55.0, 500, 500) + outcomes(65.0, 600, 400) + outcomes(75.0, 500, 500),
        threshold=80.0,
    )

    answers = [(band.against_lower, band.against_random) for band in found.bands]
    assert answers == [
        (None, ShareAnswer.NO_DIFFERENCE),
        (ShareAnswer.BETTER, ShareAnswer.BETTER),
        (ShareAnswer.NO_DIFFERENCE, ShareAnswer.NO_DIFFERENCE),
        (None, None),
        (None, None),
    ]
    assert found.notes[0].startswith("5 comparisons by band")


def test_of_very_few_outcomes_nothing_is_said() -> None:
    found = reliability(outcomes(85.0, 10, 10), threshold=80.0)

    assert found.verdicts == (
        "Did higher scores do better? Too few outcomes to say: 20 from 80 on, 0 below.",
        (
            "Did scores from 80 on do better than random entries of the same direction, hour and "
            "distance? Too few outcomes to say: 20 from 80 on."
        ),
    )
    assert found.bands[3].text == "Scores 80-90: 20 outcomes, too few to say anything."
