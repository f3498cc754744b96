"""Order blocks."""

import pytest
from msgspec.structs import replace

from signals_app.smc.measures import Bias
from signals_app.smc.order_block import OrderBlock, block_score, find_order_blocks, is_near_round
from tests.signals_app.smc.pictures import draw, upside_down

#: The second candle falls; its ATR is 2. The two after it rise, to 2 above its high of 104.
BEFORE = (103, 104, 102, 103.5)
DOWN = (103.5, 104, 102, 102.5)
PAUSE = (102.5, 105, 102.5, 104.5)
AWAY = (104.5, 106.5, 104, 106)
PICTURE = [BEFORE, DOWN, PAUSE, AWAY]
BLOCK = OrderBlock(
    index=1,
    confirmed_at=3,
    direction=Bias.BULLISH,
    top=104.0,
    bottom=102.0,
    high_volume=False,
    rejection=False,
    near_round=False,
    has_fvg=False,
    score=0.35,
    touched_at=None,
    invalidated_at=None,
)


def blocks(*rows: tuple[float, ...]) -> tuple[OrderBlock, ...]:
    return find_order_blocks(draw(*rows))


def test_block_is_the_last_falling_candle_before_a_strong_rise() -> None:
    assert blocks(*PICTURE) == (BLOCK,)


def test_bearish_block_is_the_mirror() -> None:
    # Mirrored at 128 the zone stays clear of the round numbers, which are 25 apart.
    assert blocks(*upside_down(PICTURE, middle=128)) == (
        replace(BLOCK, direction=Bias.BEARISH, top=154.0, bottom=152.0),
    )


def test_rise_that_closes_less_than_an_atr_above_is_no_displacement() -> None:
    assert blocks(BEFORE, DOWN, PAUSE, (104.5, 106.5, 104, 105.9)) == ()


def test_falling_candle_within_the_rise_ends_it() -> None:
    found = blocks(BEFORE, DOWN, (102.5, 105, 102.4, 102.4), (102.4, 107.5, 102.4, 107.2))
    assert [block.index for block in found] == [2]


def test_still_candle_within_the_rise_does_not_end_it() -> None:
    assert blocks(BEFORE, DOWN, (102.5, 104.5, 102, 102.5), (102.5, 106.5, 102.5, 106)) == (BLOCK,)


def test_rise_may_take_three_candles() -> None:
    slow = (102.5, 104.5, 102, 103)
    late = blocks(BEFORE, DOWN, slow, (103, 104.5, 102.5, 104), (104, 106.2, 104, 106))
    too_late = blocks(BEFORE, DOWN, slow, (103, 104.5, 102.5, 103.5), (103.5, 105, 103, 104), AWAY)
    assert [block.confirmed_at for block in late] == [4]
    assert too_late == ()


def test_block_is_confirmed_by_the_first_close_that_is_far_enough() -> None:
    assert blocks(*PICTURE, (106, 108, 106, 107.5)) == (BLOCK,)


def test_no_block_without_volatility() -> None:
    still = (10, 10, 10, 10)
    assert blocks(still, still, (10, 12, 10, 12)) == ()


def test_block_is_touched_at_its_edge_and_invalidated_by_a_close_beyond() -> None:
    found = blocks(
        *PICTURE,
        (106, 107, 104.1, 106),
        (106, 106.5, 104, 105),
        (105, 105.5, 101, 102),
        (102, 103, 101, 101.9),
    )
    assert found[0] == replace(BLOCK, touched_at=5, invalidated_at=7)


def test_loud_candle_anywhere_in_the_move_makes_high_volume() -> None:
    loud = [(*BEFORE, 100), (*DOWN, 100), (*PAUSE, 100), (*AWAY, 201)]
    not_loud = [*loud[:3], (*AWAY, 200)]
    assert blocks(*loud) == (replace(BLOCK, high_volume=True, score=0.6),)
    assert blocks(*not_loud) == (BLOCK,)


def test_long_wick_on_the_protected_side_is_a_rejection() -> None:
    # The wick below is 0.65 of the range, then 0.59.
    wick = blocks(BEFORE, (103.5, 104, 102, 103.3), (103.3, 105, 102.5, 104.5), AWAY)
    short = blocks(BEFORE, (103.5, 104, 102, 103.18), (103.18, 105, 102.5, 104.5), AWAY)
    assert wick == (replace(BLOCK, rejection=True, score=0.5),)
    assert short == (BLOCK,)


def test_gap_in_the_move_is_noted_whichever_candle_completes_it() -> None:
    found = blocks(BEFORE, DOWN, (102.5, 105.9, 102.5, 105.5), (105.5, 107, 104.5, 106.5))
    assert found == (replace(BLOCK, has_fvg=True, score=0.5),)


def test_gap_of_the_other_direction_does_not_count() -> None:
    # Candle 2 opens below the low of candle 0: a bearish gap known within the rise.
    found = blocks(
        (105, 106, 103.5, 103.6),
        (103.6, 103.7, 101, 101.2),
        (101.2, 103, 101.2, 103),
        (103, 107, 103, 107),
    )
    assert [(block.index, block.has_fvg) for block in found] == [(1, False)]


@pytest.mark.parametrize(
    ("top", "bottom", "near"),
    [
        (101.0, 99.0, True),  # the round 100 is inside
        (100.0, 99.0, True),  # on the edge
        (99.75, 99.0, True),  # a quarter of an ATR below it
        (99.74, 99.0, False),
        (101.0, 100.25, True),
        (101.0, 100.26, False),
        (95.5, 94.5, False),
    ],
)
def test_round_number_counts_inside_and_a_quarter_atr_around(top, bottom, near) -> None:
    # An ATR of 1 puts the round numbers 10 apart.
    assert is_near_round(top, bottom, atr=1.0) is near


def test_score_adds_what_speaks_for_the_block() -> None:
    everything = block_score(high_volume=True, rejection=True, near_round=True, has_fvg=True)
    assert everything == pytest.approx(1.0)


def test_impulse_and_displacement_are_parameters() -> None:
    candles = draw(*PICTURE)
    assert find_order_blocks(candles, impulse_candles=1) == ()
    assert find_order_blocks(candles, displacement_atr=0.25)[0].confirmed_at == 2
