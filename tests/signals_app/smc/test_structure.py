"""Breaks of structure, the trend and the dealing range."""

import pytest

from signals_app.market.candle import Candles
from signals_app.smc.structure import (
    BreakKind,
    DealingRange,
    StructureBreak,
    Trend,
    dealing_range,
    find_breaks,
    trend_of,
    trend_strength,
)
from signals_app.smc.swings import Swing, SwingKind
from tests.signals_app.smc.pictures import draw

BOS, CHOCH, UP, DOWN = BreakKind.BOS, BreakKind.CHOCH, Trend.UP, Trend.DOWN


def closes(*prices: float) -> Candles:
    return draw(*((price, price, price, price) for price in prices))


def high(index: int, price: float) -> Swing:
    return Swing(index, index + 1, SwingKind.HIGH, price, None)


def low(index: int, price: float) -> Swing:
    return Swing(index, index + 1, SwingKind.LOW, price, None)


def test_first_break_is_a_bos() -> None:
    assert find_breaks(closes(9, 10, 9, 9, 11), [high(1, 10.0)]) == (
        StructureBreak(4, BOS, UP, 10.0, 1),
    )


def test_close_at_the_level_does_not_break_it() -> None:
    assert find_breaks(closes(9, 10, 9, 9, 10), [high(1, 10.0)]) == ()


def test_swing_can_be_broken_by_the_candle_that_confirms_it() -> None:
    assert find_breaks(closes(9, 10, 11), [high(1, 10.0)]) == (StructureBreak(2, BOS, UP, 10.0, 1),)


def test_level_breaks_once() -> None:
    assert len(find_breaks(closes(9, 10, 9, 11, 12, 13), [high(1, 10.0)])) == 1


def test_new_swing_makes_a_new_level() -> None:
    swings = [high(1, 10.0), high(4, 12.0)]
    assert find_breaks(closes(9, 10, 9, 11, 12, 11, 13), swings) == (
        StructureBreak(3, BOS, UP, 10.0, 1),
        StructureBreak(6, BOS, UP, 12.0, 4),
    )


def test_newer_swing_replaces_the_reference_even_where_it_is_easier() -> None:
    swings = [high(1, 10.0), high(4, 9.0)]
    assert find_breaks(closes(8, 10, 8, 8, 9, 8, 9.5), swings) == (
        StructureBreak(6, BOS, UP, 9.0, 4),
    )


def test_break_against_the_trend_changes_its_character() -> None:
    swings = [high(1, 10.0), low(3, 7.0)]
    breaks = find_breaks(closes(8, 10, 8, 7, 11, 6), swings)
    assert [(b.index, b.kind, b.direction) for b in breaks] == [(4, BOS, UP), (5, CHOCH, DOWN)]
    assert trend_of(breaks) is DOWN


def test_upward_break_comes_first_where_a_candle_breaks_both() -> None:
    # The high lies below the low: one close is above the one and below the other.
    breaks = find_breaks(closes(9, 9, 9, 10, 10), [high(1, 8.0), low(1, 12.0)])
    assert [(b.index, b.kind, b.direction) for b in breaks] == [(2, BOS, UP), (3, CHOCH, DOWN)]


def test_no_trend_without_a_break() -> None:
    assert trend_of(()) is Trend.NONE
    assert trend_strength(closes(1, 2, 3), ()) == 0.0


def test_strength_adds_breaks_since_the_turn_and_efficiency() -> None:
    breaks = [
        StructureBreak(1, BOS, DOWN, 0.0, 0),
        StructureBreak(2, CHOCH, UP, 0.0, 0),
        StructureBreak(3, BOS, UP, 0.0, 0),
    ]
    # Two breaks of four; 3 up of 5 walked.
    assert trend_strength(closes(10, 12, 11, 13), breaks) == 100 * (0.5 * 2 / 4 + 0.5 * (3 / 5))


def test_more_than_four_breaks_count_as_four() -> None:
    breaks = [StructureBreak(i, BOS, UP, 0.0, 0) for i in range(9)]
    assert trend_strength(closes(1, 2, 3), breaks) == 100.0


def test_net_move_against_the_trend_has_no_efficiency() -> None:
    down = [StructureBreak(0, BOS, DOWN, 0.0, 0)]
    up = [StructureBreak(0, BOS, UP, 0.0, 0)]
    assert trend_strength(closes(10, 12, 11), down) == 12.5
    assert trend_strength(closes(10, 8, 9), up) == 12.5
    assert trend_strength(closes(10, 10, 10), up) == 12.5
    assert trend_strength(closes(10), up) == 12.5


def test_efficiency_looks_back_fifty_candles() -> None:
    up = [StructureBreak(0, BOS, UP, 0.0, 0)]
    assert trend_strength(closes(500, *range(51)), up) == 62.5


def test_dealing_range_is_between_the_last_swings() -> None:
    swings = [high(1, 10.0), low(2, 6.0), high(5, 9.0)]
    found = dealing_range(swings)
    assert found == DealingRange(low=6.0, high=9.0)
    assert [found.position(price) for price in (6.0, 7.5, 9.0, 12.0)] == [0.0, 0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    "swings", [[], [high(1, 10.0)], [low(1, 10.0)], [high(1, 10.0), low(2, 10.0)]]
)
def test_no_dealing_range_unless_a_high_is_above_a_low(swings) -> None:
    assert dealing_range(swings) is None
