from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.timeframes import (
    LENGTHS,
    OffGridError,
    TimeframeCheck,
    check_timeframe,
    commonest_step,
    name_of,
)

PATH = Path("candles.csv")
MONDAY = 1_704_672_000_000
HOUR = LENGTHS["H1"]
TIMEFRAMES = st.sampled_from(sorted(LENGTHS))


def check(times, timeframe, **options):
    check_timeframe(
        PATH, np.array(times, np.int64), LENGTHS[timeframe], lambda place: place + 2, **options
    )


def series(step, count=6, begin=MONDAY):
    return [begin + place * step for place in range(count)]


def test_the_commonest_step_is_the_nearer_of_equals():
    assert commonest_step(np.array([])) == 0
    assert commonest_step(np.array([MONDAY])) == 0
    assert commonest_step(np.array(series(HOUR))) == HOUR
    assert commonest_step(np.array([0, HOUR, 3 * HOUR])) == HOUR
    assert [name_of(HOUR), name_of(90_000)] == ["H1", "1.5 minutes"]


@given(TIMEFRAMES, TIMEFRAMES, st.integers(3, 40))
def test_candles_of_another_timeframe_are_refused(held, said, count):
    times = series(LENGTHS[held], count)
    if held == said:
        check(times, said)
    else:
        with pytest.raises(MarketFileError, match=f"holds candles of {held}, not of {said}: most"):
            check(times, said)


@given(TIMEFRAMES, st.lists(st.integers(1, 5), min_size=1, max_size=30))
def test_gaps_do_no_harm_where_most_neighbours_are_near(timeframe, gaps):
    steps = [1] * len(gaps) + gaps
    check(MONDAY + np.cumsum([0, *steps]) * LENGTHS[timeframe], timeframe)


@given(TIMEFRAMES, st.integers(1, 8), st.integers(1, 999))
def test_a_stray_row_is_named(timeframe, place, per_mille):
    length = LENGTHS[timeframe]
    times = series(length, 10)
    times.insert(place, times[place - 1] + length * per_mille // 1000)
    with pytest.raises(MarketFileError, match=f"candles.csv, line {place + 2}: it opens "):
        check(times, timeframe)


@given(TIMEFRAMES, st.integers(1, 59), st.integers(2, 20))
def test_candles_off_the_grid_are_refused(timeframe, minutes, count):
    times = series(LENGTHS[timeframe], count, MONDAY + minutes * 60_000)
    if minutes * 60_000 % LENGTHS[timeframe] == 0:
        check(times, timeframe)
        return
    with pytest.raises(
        MarketFileError, match=r"line 2: it opens at 2024-01-08T00:\d\d:00 UTC"
    ) as no:
        check(times, timeframe)
    assert not isinstance(no.value, OffGridError)
    with pytest.raises(MarketFileError, match="line 2"):
        check(times, timeframe, allows_broker_clock=True)


def test_long_candles_of_a_broker_are_known_as_such():
    for timeframe in ("H4", "D1"):
        times = series(LENGTHS[timeframe], 6, MONDAY - 2 * HOUR)
        with pytest.raises(OffGridError, match="a broker's clock has made it: give a shorter"):
            check(times, timeframe)
        check(times, timeframe, allows_broker_clock=True)
    # In spring the clock goes forward, and one candle is an hour short.
    check([*times, times[-1] + LENGTHS["D1"] - HOUR], "D1", allows_broker_clock=True)


def test_one_wide_step_may_be_a_gap_and_two_equal_ones_are_none():
    check([MONDAY, MONDAY + 49 * HOUR], "M15")
    with pytest.raises(MarketFileError, match="most of them are 60 minutes apart"):
        check(series(HOUR, 3), "M15")


@given(st.integers(1, 11))
def test_a_file_may_be_checked_in_pieces(cut):
    times = np.array([*series(HOUR, 12), MONDAY + 11 * HOUR + 60_000])
    piecewise = TimeframeCheck(PATH, HOUR)
    piecewise.add(times[:cut], lambda place: place + 2)
    piecewise.add(times[cut:], lambda place: place + 2 + cut)
    with pytest.raises(MarketFileError, match="line 14: it opens 1 minutes after the candle"):
        piecewise.finish()
