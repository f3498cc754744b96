"""Searches: what may be chosen when, and how luck is told from worth."""

import numpy as np
import pytest

from reports_app.experiments.search import Trial, figures, grid, judge, sample
from signals_app.confluence.limits import BadParameter
from signals_app.confluence.parameters import Parameters

DAY = 86_400_000
BASE = Parameters()


def trial(r: np.ndarray, threshold: float = 80.0, *, open_days: float = 0.5) -> Trial:
    """One trade a day."""
    opened = np.arange(len(r), dtype=np.int64) * DAY
    return Trial(
        Parameters(threshold=threshold), opened, opened + round(open_days * DAY), np.asarray(r)
    )


def noise(count: int, seed: int, edge: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(edge, 1.0, count)


def test_a_grid_has_every_combination_and_begins_with_what_one_has() -> None:
    found = grid(BASE, {"threshold": (75.0, 80.0), "stop_buffer_atr": (0.25, 0.5)})

    assert found == [
        BASE,
        Parameters(threshold=75.0, stop_buffer_atr=0.25),
        Parameters(threshold=75.0, stop_buffer_atr=0.5),
        Parameters(threshold=80.0, stop_buffer_atr=0.25),
    ]


def test_a_sample_is_part_of_the_grid_and_the_same_for_a_seed() -> None:
    ranges = {"threshold": tuple(range(60, 100)), "stop_buffer_atr": (0.1, 0.2, 0.3)}

    found = sample(BASE, ranges, 20, seed=1)

    assert found[0] == BASE
    assert set(found) <= set(grid(BASE, ranges))
    assert len(found) in (20, 21)
    assert found == sample(BASE, ranges, 20, seed=1)
    assert found != sample(BASE, ranges, 20, seed=2)


def test_combinations_that_contradict_themselves_are_not_tried() -> None:
    found = grid(BASE, {"take_profit_1_r": (1.0, 3.0), "take_profit_2_r": (2.5, 4.0)})

    assert [(each.take_profit_1_r, each.take_profit_2_r) for each in found] == [
        (1.0, 2.5),
        (1.0, 4.0),
        (3.0, 4.0),
    ]
    with pytest.raises(BadParameter, match="must not be above take_profit_2_r"):
        grid(BASE, {"take_profit_1_r": (3.0, 4.0)})


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


def test_the_best_of_many_worthless_settings_is_called_luck() -> None:
    found = judge([trial(noise(600, seed), 50.0 + seed) for seed in range(30)], folds=4, seed=1)

    assert found is not None
    assert found.in_sample.t > 1.5
    assert found.luck is not None
    assert found.luck > 0.1
    assert found.overfitting is not None
    assert found.overfitting > 0.2


def test_a_setting_that_is_worth_something_is_not_called_luck() -> None:
    trials = [trial(noise(600, seed), 50.0 + seed) for seed in range(30)]
    trials[7] = trial(noise(600, 7, edge=0.4), 57.0)

    found = judge(trials, folds=4, seed=1)

    assert found is not None
    assert (found.best, [fold.chosen for fold in found.folds]) == (7, [7, 7, 7, 7])
    assert (found.luck, found.overfitting) == (0.0, 0.0)
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
    assert (found.luck, found.overfitting) == (None, None)
    assert judge([trial(noise(0, 1))], folds=1, seed=1) is None


def test_figures_of_equal_and_of_no_trades_are_plain() -> None:
    assert figures(np.ones(3)).t == 0.0
    assert figures(np.ones(0)).r is None
    assert figures(np.full(1, 2.5)).r == 2.5
