"""Walk forward: what may be chosen when."""

import numpy as np
import pytest

from reports_app.assessment.walk_forward import judge
from tests.reports_app.assessment.trials import noise, trial


def test_each_step_forward_chooses_from_the_past_alone() -> None:
    # The second is good in the first half and bad in the second; the first the other way round.
    half = np.tile([1.0, 0.8], 50)
    first, second = trial(np.r_[-half, half], 80.0), trial(np.r_[half, -half], 90.0)

    found = judge([first, second], folds=1, seed=1)

    assert found is not None
    (fold,) = found.folds
    assert fold.chosen == 1
    assert (fold.in_sample.trades, fold.in_sample.r) == (99, pytest.approx(0.9, abs=0.01))
    assert fold.out_of_sample.trades == 100
    assert found.out_of_sample.r == pytest.approx(-0.9)
    assert found.baseline.r == pytest.approx(0.9)


def test_a_trade_that_was_still_open_at_the_step_is_not_known_to_it() -> None:
    late = trial(noise(40, 1), open_days=5.0)

    found = judge([late], folds=1, seed=1)

    assert found is not None
    # The step is in the middle of the 20th day.
    assert found.folds[0].in_sample.trades == 15
    assert found.folds[0].out_of_sample.trades == 20
