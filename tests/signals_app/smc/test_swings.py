"""Swing points."""

from signals_app.smc.swings import Swing, SwingKind, find_swings
from tests.signals_app.smc.pictures import draw, ridge, upside_down

HIGH, LOW = SwingKind.HIGH, SwingKind.LOW


def swing_highs(*highs: float) -> list[Swing]:
    return [swing for swing in find_swings(draw(*ridge(*highs))) if swing.kind is HIGH]


def test_swing_high_stands_out_from_three_candles_on_either_side() -> None:
    assert find_swings(draw(*ridge(5, 6, 7, 9, 7, 6, 5))) == (Swing(3, 6, HIGH, 9.0, None),)


def test_swing_low_is_the_mirror() -> None:
    rows = upside_down(ridge(5, 6, 7, 9, 7, 6, 5), middle=0)
    assert find_swings(draw(*rows)) == (Swing(3, 6, LOW, -9.0, None),)


def test_swing_needs_all_its_neighbours() -> None:
    assert swing_highs(6, 7, 9, 7, 6, 5) == []
    assert swing_highs(5, 6, 7, 9, 7, 6) == []


def test_higher_candle_within_three_is_no_swing() -> None:
    assert swing_highs(5, 6, 7, 9, 7, 6, 9.5) == []
    assert swing_highs(9.5, 6, 7, 9, 7, 6, 5) == []
    assert [s.index for s in swing_highs(9.5, 5, 6, 7, 9, 7, 6, 5, 9.5)] == [4]


def test_leftmost_of_equal_highs_is_the_swing() -> None:
    assert [s.index for s in swing_highs(5, 6, 7, 9, 9, 8, 9, 6, 5, 5)] == [3]


def test_later_equal_high_is_a_swing_where_the_first_is_out_of_sight() -> None:
    assert [s.index for s in swing_highs(5, 6, 7, 9, 8, 8, 8, 9, 6, 5, 5)] == [3, 7]


def test_swings_are_labelled_by_the_one_before_of_their_kind() -> None:
    hills = swing_highs(5, 6, 7, 9, 7, 6, 5, 10, 5, 5, 5, 10, 5, 5, 5, 8, 5, 5, 5)
    assert [(s.price, s.label) for s in hills] == [
        (9.0, None),
        (10.0, "HH"),
        (10.0, "LH"),
        (8.0, "LH"),
    ]


def test_lows_are_labelled_as_mirrors() -> None:
    rows = upside_down(ridge(5, 6, 7, 9, 7, 6, 5, 10, 5, 5, 5, 10, 5, 5, 5, 8, 5, 5, 5), middle=0)
    assert [s.label for s in find_swings(draw(*rows))] == [None, "LL", "HL", "HL"]


def test_candle_that_is_both_is_named_as_high_first() -> None:
    calm = [(10, 11, 9, 10)] * 3
    assert find_swings(draw(*calm, (10, 15, 5, 10), *calm)) == (
        Swing(3, 6, HIGH, 15.0, None),
        Swing(3, 6, LOW, 5.0, None),
    )


def test_swing_length_is_a_parameter() -> None:
    candles = draw(*ridge(5, 9, 5))
    assert find_swings(candles, swing_length=1) == (Swing(1, 2, HIGH, 9.0, None),)
