"""What the bands of scores say, in sentences."""

import pytest

from reports_app.assessment.reliability_words import band, beside_random, count, notes, order
from reports_app.assessment.share_comparison import ShareComparison

BETTER = ShareComparison(0.58, 0.50, 0.05)
WORSE = ShareComparison(0.42, 0.50, 0.05)
ALIKE = ShareComparison(0.51, 0.50, 0.05)
FEW = ShareComparison(0.60, 0.50, 0.20)


def test_a_band_says_how_it_did_against_lower_scores_and_random_entries() -> None:
    assert band((80, 90), 1_200, BETTER, ALIKE) == (
        "Scores 80-90 won 51.0% of 1,200. Lower scores won 50.0%: better, by 8 points. "
        "Random entries won 50.0%: no difference shows (one would from about 5 points on)."
    )
    assert band((50, 60), 1_200, None, WORSE).endswith(
        "Random entries won 50.0%: worse, by 8 points."
    )
    assert band((50, 60), 1, None, None) == "Scores 50-60: 1 outcome, too few to say anything."


@pytest.mark.parametrize(
    ("comparison", "beginning"),
    [
        (BETTER, "Yes, by 8 points: scores from 80 on won 58.0% of 300"),
        (WORSE, "No, they did worse, by 8 points: "),
        (ALIKE, "No, as far as can be seen: "),
        (FEW, "Too few outcomes to say: scores from 80 on won 60.0% of 300"),
        (None, "Too few outcomes to say: 300 from 80 on, 9,000 below."),
    ],
)
def test_the_question_of_the_order_has_one_answer(
    comparison: ShareComparison | None, beginning: str
) -> None:
    question, _, answer = order(comparison, 300, 9_000, 80.0).partition("? ")

    assert question == "Did higher scores do better"
    assert answer.startswith(beginning)


def test_beside_random_entries_the_facts_stand_behind_the_answer() -> None:
    assert beside_random(BETTER, 300, 80.0).endswith(
        "Yes, by 8 points: 58.0% of 300 against 50.0%."
    )
    assert beside_random(None, 3, 80.0).endswith("Too few outcomes to say: 3 from 80 on.")


def test_many_comparisons_are_warned_of_and_none_are_not() -> None:
    by_band, fitted = notes(9)

    assert by_band.startswith("9 comparisons by band: of twenty, chance alone makes about one")
    assert notes(0) == (fitted,)


def test_one_has_no_s() -> None:
    assert (count(1, "point"), count(0, "point"), count(2_000, "point")) == (
        "1 point",
        "0 points",
        "2,000 points",
    )
