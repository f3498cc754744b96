"""Loops of the kernel that no whole analysis reaches in every corner."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from signals_app.confluence.scoring import WEIGHTS
from signals_app.market.calendar import trading_day
from signals_app.smc.compiled import kernel
from signals_app.smc.compiled.rules import RULES, tables
from tests.signals_app.smc.pictures import HOUR_MS


def test_trading_days_are_those_of_the_calendar() -> None:
    hours = np.arange(-70 * 365 * 24, 291 * 365 * 24, 677, dtype=np.int64) * HOUR_MS
    days = kernel._trading_days(hours, tables())
    expected = [trading_day(time_ms).date for time_ms in hours.tolist()]
    assert (np.datetime64("1970-01-01") + days).tolist() == expected


def test_day_turns_on_the_hour_around_both_clock_changes() -> None:
    # New York changed on 10 March and on 3 November 2024.
    for sunday in (1_710_028_800_000, 1_730_592_000_000):
        hours = sunday + np.arange(-48, 72, dtype=np.int64) * HOUR_MS
        days = kernel._trading_days(hours, tables())
        expected = [trading_day(time_ms).date for time_ms in hours.tolist()]
        assert (np.datetime64("1970-01-01") + days).tolist() == expected


def test_both_sides_are_the_prices_and_their_mirror_image() -> None:
    sides = kernel.both_sides(np.array([[10.0], [13.0], [9.0], [12.0]]))

    assert sides[0].ravel().tolist() == [10.0, 13.0, 9.0, 12.0]
    assert sides[1].ravel().tolist() == [-10.0, -9.0, -13.0, -12.0]


def test_an_hours_median_is_right_in_whatever_order_volumes_come() -> None:
    volumes = np.random.default_rng(8).integers(0, 30, 400).astype(np.float64)
    same_hour = np.arange(400, dtype=np.int64) * 24 * HOUR_MS

    relative = kernel.relative_volumes(same_hour, volumes, RULES)

    for i in range(RULES.relvol_hour_candles, 400):
        usual = np.median(volumes[:i])
        assert relative[i] == (volumes[i] / usual if usual else 1.0)


@given(
    st.sampled_from(sorted(set(WEIGHTS.values()))),
    st.one_of(
        st.floats(-0.5, 1.5),
        st.integers(0, 40).map(lambda age: 1 - 0.5 * (age / 20)),
        st.integers(0, 100).map(lambda score: 0.8 + (1 - 0.8) * (score / 100)),
    ),
)
def test_points_are_rounded_as_python_rounds_them(whole: float, share: float) -> None:
    kept = min(max(share, 0.0), 1.0)
    assert kernel._points(whole, share) / 100 == round(whole * kept, 2)
