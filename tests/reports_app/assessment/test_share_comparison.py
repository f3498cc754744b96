"""Whether a difference of two shares is more than chance makes."""

import pytest

from reports_app.assessment.share_comparison import (
    Share,
    ShareAnswer,
    ShareComparison,
    compare_shares,
    compare_with_known,
)


@pytest.mark.parametrize(
    ("share", "other", "difference"),
    [
        (Share(600, 1000), Share(500, 1000), ShareAnswer.BETTER),
        (Share(500, 1000), Share(600, 1000), ShareAnswer.WORSE),
        (Share(510, 1000), Share(500, 1000), ShareAnswer.NO_DIFFERENCE),
        (Share(12, 20), Share(8, 20), ShareAnswer.TOO_FEW),
    ],
)
def test_a_difference_shows_where_enough_outcomes_carry_it(
    share: Share, other: Share, difference: ShareAnswer
) -> None:
    assert compare_shares(share, other).answer is difference


def test_the_least_difference_that_shows_is_that_of_the_pooled_test() -> None:
    found = compare_shares(Share(600, 1000), Share(500, 1000))

    assert found.difference == pytest.approx(0.1)
    assert found.least == pytest.approx(1.959964 * (0.55 * 0.45 * 2 / 1000) ** 0.5)


def test_against_a_share_that_is_known_only_one_is_uncertain() -> None:
    found = compare_with_known(Share(30, 100), 0.5)

    assert (found.answer, found.other) == (ShareAnswer.WORSE, 0.5)
    assert found.least == pytest.approx(1.959964 * 0.05)


def test_where_all_won_on_both_sides_there_is_no_difference() -> None:
    assert ShareComparison(1.0, 1.0, 0.0).answer is ShareAnswer.NO_DIFFERENCE
