"""Candidates: which settings a search tries."""

import pytest

from reports_app.experiments.candidates import grid, sample
from signals_app.confluence.limits import BadParameter
from signals_app.confluence.parameters import Parameters

BASE = Parameters()


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
