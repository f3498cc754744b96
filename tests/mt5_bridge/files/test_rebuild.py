import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt5_bridge.files.rebuild import best_source, rebuild

MONDAY = 1_704_672_000_000
FRIDAY = MONDAY + 4 * 86_400_000
HOUR = 3_600_000


def hours(begin, count):
    times = MONDAY + (begin + np.arange(count)) * HOUR
    prices = np.arange(count, dtype=float)
    return times, prices + 10, prices + 12, prices + 9, prices + 11, np.ones(count)


def openings(columns):
    return ((columns[0] - MONDAY) // HOUR).tolist()


def test_four_hours_become_one_candle():
    built = rebuild(hours(0, 8), HOUR, 4 * HOUR)
    assert [column.tolist() for column in built] == [
        [MONDAY, MONDAY + 4 * HOUR],
        [10, 14],
        [15, 19],
        [9, 13],
        [14, 18],
        [4, 4],
    ]


def test_a_candle_without_its_beginning_or_end_is_left_out():
    assert openings(rebuild(hours(1, 8), HOUR, 4 * HOUR)) == [4]
    assert openings(rebuild(hours(0, 9), HOUR, 4 * HOUR)) == [0, 4]
    assert openings(rebuild(hours(1, 2), HOUR, 4 * HOUR)) == []
    assert openings(rebuild(hours(0, 0), HOUR, 4 * HOUR)) == []


def test_the_weekend_is_no_missing_part():
    until_21 = 4 * 24 + 21
    assert openings(rebuild(hours(0, until_21), HOUR, 4 * HOUR))[-1] == 4 * 24 + 20
    assert openings(rebuild(hours(0, until_21 - 24), HOUR, 4 * HOUR))[-1] == 3 * 24 + 16


@given(st.sets(st.integers(0, 60), min_size=1), st.sampled_from([4, 24]))
def test_what_is_built_is_what_a_loop_builds(opened, factor):
    places = np.array(sorted(opened))
    columns = tuple(column[places] for column in hours(0, 61))
    built = rebuild(columns, HOUR, factor * HOUR)
    for at, row in zip(built[0], zip(*built[1:], strict=True), strict=True):
        inside = [row for row in zip(*columns, strict=True) if at <= row[0] < at + factor * HOUR]
        assert row == (
            inside[0][1],
            max(one[2] for one in inside),
            min(one[3] for one in inside),
            inside[-1][4],
            len(inside),
        )


@pytest.mark.parametrize(
    ("firsts", "best"),
    [
        ({}, None),
        ({900_000: 5, HOUR: 3}, HOUR),
        ({900_000: 3, HOUR: 3}, HOUR),
        ({900_000: 1}, 900_000),
    ],
)
def test_the_longest_history_is_built_from(firsts, best):
    assert best_source(firsts, 4 * HOUR) == best
    assert best_source({4 * HOUR: 1}, 4 * HOUR) is None
