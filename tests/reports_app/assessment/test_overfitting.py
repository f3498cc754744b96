"""Overfitting and the reality check: how luck is distinguished from worth."""

import numpy as np

from reports_app.assessment.walk_forward import judge
from tests.reports_app.assessment.trials import noise, trial


def test_the_best_of_many_worthless_settings_is_called_luck() -> None:
    found = judge([trial(noise(600, seed), 50.0 + seed) for seed in range(30)], folds=4, seed=1)

    assert found is not None
    assert found.in_sample.t > 1.5
    assert found.reality_check is not None
    assert found.reality_check > 0.1
    assert found.overfitting is not None
    assert found.overfitting > 0.2


def test_a_setting_that_is_worth_something_is_not_called_luck() -> None:
    trials = [trial(noise(600, seed), 50.0 + seed) for seed in range(30)]
    trials[7] = trial(noise(600, 7, edge=0.4), 57.0)

    found = judge(trials, folds=4, seed=1)

    assert found is not None
    assert (found.best, [fold.chosen for fold in found.folds]) == (7, [7, 7, 7, 7])
    assert (found.reality_check, found.overfitting) == (0.0, 0.0)
    assert found.out_of_sample.t > 5


def test_settings_that_change_nothing_are_not_called_overfitted() -> None:
    found = judge([trial(noise(600, 1), 80.0 + n) for n in range(4)], folds=1, seed=1)

    assert found is not None
    assert found.overfitting is None


def test_settings_that_do_alike_share_their_rank() -> None:
    # Three pairs: the better pair is better in both halves, each of it level with its twin.
    trials = [trial(noise(600, 1, edge), 50.0 + n) for n, edge in enumerate((0, 0, 1, 1, 0.5, 0.5))]

    found = judge(trials, folds=1, seed=1)

    assert found is not None
    assert found.overfitting == 0.0


def test_without_worth_about_half_the_choices_are_below_the_middle() -> None:
    shares = []
    for seed in range(0, 160, 8):
        # A twin each, as a fine grid has them.
        trials = [trial(noise(600, seed + n // 2), 50.0 + seed + n) for n in range(8)]
        found = judge(trials, folds=1, seed=1)
        assert found is not None
        assert found.overfitting is not None
        shares.append(found.overfitting)

    assert 0.35 < np.mean(shares) < 0.65


def test_few_trades_and_few_weeks_say_nothing_of_luck() -> None:
    found = judge([trial(noise(5, 1)), trial(noise(5, 2), 90.0)], folds=1, seed=1)

    assert found is not None
    assert (found.reality_check, found.overfitting) == (None, None)
    assert judge([trial(noise(0, 1))], folds=1, seed=1) is None
