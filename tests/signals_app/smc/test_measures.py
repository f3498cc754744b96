"""True range, ATR, relative volume and the round-number grid."""

import numpy as np
import pytest

from signals_app.market.candle import Candles
from signals_app.smc.measures import (
    average_true_ranges,
    mirrored,
    relative_volumes,
    round_step,
    share,
    total_of,
    true_ranges,
)
from tests.signals_app.smc.pictures import HOUR_MS, NOON_MS, draw

DAY_MS = 24 * HOUR_MS


def volumes(*values: float, step_ms: int = HOUR_MS) -> Candles:
    return draw(*((1, 1, 1, 1, value) for value in values), step_ms=step_ms)


def test_true_range_counts_the_jump_from_the_close_before() -> None:
    candles = draw((10, 11, 9, 10), (14, 15, 13, 14), (8, 9, 7, 8), (8, 8.5, 7.5, 8))
    assert true_ranges(candles) == [2.0, 5.0, 7.0, 1.0]


def test_atr_is_a_plain_mean_for_fourteen_candles_and_wilders_from_then_on() -> None:
    calm = [(10, 11, 9, 10)] * 14
    candles = draw((10, 14, 10, 10), *calm, (10, 18, 2, 10))
    averages = average_true_ranges(candles)
    assert averages[:3] == [4.0, 3.0, 8 / 3]
    assert averages[13] == 30 / 14
    assert averages[14] == (30 / 14 * 13 + 2) / 14
    assert averages[15] == (averages[14] * 13 + 16) / 14


def test_first_candle_has_the_usual_volume() -> None:
    assert relative_volumes(volumes(77)) == [1.0]


def test_volume_is_measured_by_the_recent_mean_while_its_hour_is_young() -> None:
    assert relative_volumes(volumes(100, 50, 300)) == [1.0, 0.5, 4.0]


def test_recent_mean_looks_back_twenty_candles() -> None:
    # Hourly candles: none has five of its hour before it.
    assert relative_volumes(volumes(1_000_000, *[10] * 20, 20))[-1] == 2.0


def test_volume_is_measured_by_its_hours_median_once_five_were_there() -> None:
    four_before = relative_volumes(volumes(10, 20, 30, 1000, 60, step_ms=DAY_MS))
    five_before = relative_volumes(volumes(10, 20, 30, 1000, 40, 60, step_ms=DAY_MS))
    six_before = relative_volumes(volumes(10, 20, 30, 1000, 40, 50, 70, step_ms=DAY_MS))
    assert four_before[-1] == 60 / 265
    assert five_before[-1] == 60 / 30
    assert six_before[-1] == 70 / 35


def test_hours_are_measured_apart() -> None:
    # Two candles a day: noon is always loud, midnight always quiet.
    noon_and_midnight = volumes(*[1000, 10] * 5, 2000, 5, step_ms=12 * HOUR_MS)
    assert relative_volumes(noon_and_midnight)[-2:] == [2.0, 0.5]


def test_volume_without_a_yardstick_is_usual() -> None:
    assert relative_volumes(volumes(0, 0, 50)) == [1.0, 1.0, 1.0]
    assert relative_volumes(volumes(0, 0, 0, 0, 0, 9, step_ms=DAY_MS))[-1] == 1.0


@pytest.mark.parametrize(
    ("volatility", "step"),
    [
        (0.125, 1.0),
        (0.12500001, 2.5),
        (0.3125, 2.5),
        (0.4, 5.0),
        (0.625, 5.0),
        (1.25, 10.0),
        (4.5, 50.0),
        (0.0001, 0.001),
        (0.00035, 0.005),
    ],
)
def test_round_step_is_the_smallest_grid_of_eight_volatilities(volatility, step) -> None:
    assert round_step(volatility) == step


def test_share_of_a_candle_without_range_is_zero() -> None:
    assert (share(1, 4), share(1, 0), share(0, 0)) == (0.25, 0.0, 0.0)


def test_sum_is_added_up_in_order() -> None:
    # Compensated summation, Python's own from 3.12 on, would say 2.0.
    assert total_of([1.0, 1e100, 1.0, -1e100]) == 0.0


def test_mirror_turns_prices_and_keeps_time_and_volume() -> None:
    candles = draw((10, 14, 9, 12, 5))
    mirror = mirrored(candles)
    assert list(mirror) == list(draw((-10, -9, -14, -12, 5)))
    assert all(np.array_equal(a, b) for a, b in [(mirrored(mirror).high, candles.high)])
    assert int(mirror.time_ms[0]) == NOON_MS
