"""Random entries: like the trades in all but the day."""

from collections.abc import Sequence

import numpy as np

from reports_app.assessment.planned_trades import PlannedCosts, PlannedTrades
from reports_app.assessment.random_entries import NEAR_DAYS, _EntryChoices, compare_with_random
from signals_app.market.candle import Candles
from tests.reports_app.assessment.test_planned_trades import QUARTER, candles_of

DAY = 86_400_000


def test_random_entries_are_at_the_same_time_on_other_days_nearby() -> None:
    time_ms = np.arange(100 * 96, dtype=np.int64) * QUARTER
    places = np.array([0, 5000, 9599])

    drawn = _EntryChoices(time_ms, places).draw(np.random.default_rng(1), 2000)

    away = (time_ms[drawn] - time_ms[places]) // DAY
    assert ((time_ms[drawn] - time_ms[places]) % DAY == 0).all()
    assert set(away[:, 0].tolist()) == set(range(1, NEAR_DAYS + 1))
    assert set(away[:, 1].tolist()) == set(range(-NEAR_DAYS, NEAR_DAYS + 1)) - {0}
    assert set(away[:, 2].tolist()) == set(range(-NEAR_DAYS, 0))


def market_of_days(days: int) -> Candles:
    """Price falls and comes back every day, but on each tenth day rises from noon on."""
    rows = []
    for day in range(days):
        for quarter in range(96):
            up = 20.0 if day % 10 == 0 and quarter > 48 else 0.0
            rows.append((100.0 + up, 101.0 + up, 99.0 + up, 100.0 + up))
    return candles_of(rows)


def test_entries_that_know_something_beat_chance_and_any_day_does_not() -> None:
    candles = market_of_days(200)
    spreads = np.zeros(len(candles))

    def entered_on(days: Sequence[int]) -> PlannedTrades:
        count = len(days)
        return PlannedTrades(
            np.array([day * DAY + 48 * QUARTER for day in days]),
            np.ones(count, dtype=np.int64),
            *(np.full(count, distance) for distance in (5.0, 5.0, 10.0)),
            PlannedCosts.none(count),
        )

    knowing = compare_with_random(
        entered_on(range(0, 200, 10)), candles, spreads, seed=1, maximum_hours=1, repetitions=200
    )
    guessing = compare_with_random(
        entered_on(range(100, 120)), candles, spreads, seed=1, maximum_hours=1, repetitions=200
    )

    assert knowing is not None
    assert guessing is not None
    assert (knowing.r, knowing.at_least_as_good) == (1.5, 0.0)
    assert guessing.at_least_as_good > 0.2


def test_nothing_is_said_of_nine_trades() -> None:
    candles = market_of_days(2)
    nine = PlannedTrades(np.zeros(9, dtype=np.int64), *[np.ones(9)] * 4, PlannedCosts.none(9))

    assert (
        compare_with_random(nine, candles, np.zeros(len(candles)), seed=1, maximum_hours=None)
        is None
    )
