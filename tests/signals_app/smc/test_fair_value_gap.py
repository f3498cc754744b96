"""Fair value gaps."""

import pytest
from msgspec.structs import replace

from signals_app.smc.fair_value_gap import FairValueGap, find_gaps, gap_strength
from signals_app.smc.measures import Bias
from tests.signals_app.smc.pictures import draw, upside_down

#: From 12 to 13 nobody traded: true ranges 2, 3 and 2, so the middle candle's ATR is 2.5.
UP = [(11, 12, 10, 11.5), (11.5, 14.5, 11.5, 14), (14, 15, 13, 14.5)]
STRENGTH = 100 * (0.60 * (1 / 2.5) + 0.25 * (2.5 / 3) + 0.15 * 0.5)
GAP = FairValueGap(2, Bias.BULLISH, 13.0, 12.0, STRENGTH, None, None, 0.0)


def only_gap(*later: tuple[float, float, float, float]) -> FairValueGap:
    return find_gaps(draw(*UP, *later))[0]


def test_gap_is_what_the_outer_two_of_three_candles_leave_open() -> None:
    assert find_gaps(draw(*UP)) == (GAP,)


def test_bearish_gap_is_the_mirror() -> None:
    assert find_gaps(draw(*upside_down(UP, middle=10))) == (
        replace(GAP, direction=Bias.BEARISH, top=8.0, bottom=7.0),
    )


def test_candles_that_only_meet_leave_no_gap() -> None:
    assert find_gaps(draw(UP[0], UP[1], (14, 15, 12, 14.5))) == ()


def test_candle_that_stops_at_the_top_does_not_touch() -> None:
    assert only_gap((14.5, 15, 13, 14)) == GAP


def test_gap_is_touched_inside_and_remembers_how_deep() -> None:
    touched = only_gap((14.5, 15, 13, 14), (14, 14, 12.75, 13.5), (13.5, 14, 12.25, 14))
    assert touched == replace(GAP, touched_at=4, fill=0.75)


def test_gap_is_filled_at_its_far_side() -> None:
    assert only_gap((14.5, 15, 12.5, 14), (14, 14, 12, 13)) == replace(
        GAP, touched_at=3, filled_at=4, fill=1.0
    )


def test_fill_is_at_most_whole() -> None:
    assert only_gap((14, 14, 2, 13)) == replace(GAP, touched_at=3, filled_at=3, fill=1.0)


def test_middle_candle_without_range_adds_no_body() -> None:
    gap = find_gaps(draw((10, 10, 10, 10), (11, 11, 11, 11), (12, 13, 12, 12)))[0]
    # The middle candle's ATR is 0.5 and the gap 2.
    assert gap.strength == pytest.approx(100 * (0.60 + 0.15 * 0.5))


def test_gap_without_volatility_has_the_whole_size_term() -> None:
    still = (10, 10, 10, 10)
    candles = draw(still, still, (11, 11, 11, 11))
    assert find_gaps(candles)[0].strength == pytest.approx(100 * (0.60 + 0.15 * 0.5))


def test_loud_middle_candle_makes_a_stronger_gap() -> None:
    loud = [(*UP[0], 100), (*UP[1], 150), (*UP[2], 100)]
    assert find_gaps(draw(*loud))[0].strength == pytest.approx(STRENGTH + 100 * 0.15 * 0.25)


def test_strength_is_at_most_one_hundred() -> None:
    assert gap_strength(size_in_atr=7.0, body_share=1.0, relvol=9.0) == 100.0
