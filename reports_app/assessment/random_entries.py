"""Random entries: the same trades, entered on other days at the same time of day.

What a market does anyway (its drift, its hours, its spread) and what stops and targets of this
size do to any entry is in both. What is left between them is what the signals knew.
"""

from dataclasses import dataclass

import numpy as np

from reports_app.assessment.monte_carlo import Interval
from reports_app.assessment.planned_trades import PlannedTrades, TradeFollower
from signals_app.market.calendar import DAY_MS
from signals_app.market.candle import Candles
from signals_app.market.instrument import WEDNESDAY
from signals_app.market.tick import Float64s, Int64s

#: A random entry is on a day at most this far away: the same market, as wide awake.
NEAR_DAYS = 30
_FEWEST = 10
#: Random trades in all, and the fewest and the most repetitions that they make.
_RANDOM_TRADES, _LEAST, _MOST = 400_000, 100, 1000
#: Random trades followed at a time, so that memory stays flat.
_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class RandomEntries:
    """The signals' trades and random ones, all followed in the same simple way on candles.

    `r` is the mean in R of the signals' trades and `random_r` that of the repetitions; each
    repetition has one random trade for each of the `trades`. `at_least_as_good` is the share of
    the repetitions (0..1) that reached `r`. `repeated_r` are their means.
    """

    trades: int
    repetitions: int
    seed: int
    r: float
    random_r: Interval
    at_least_as_good: float
    repeated_r: tuple[float, ...]


def compare_with_random(
    plans: PlannedTrades,
    candles: Candles,
    spreads: Float64s,
    *,
    seed: int,
    maximum_hours: float | None,
    triple_swap_day: int = WEDNESDAY,
    repetitions: int | None = None,
) -> RandomEntries | None:
    """Enter the planned trades at random and compare; `None` for fewer than ten trades.

    A random entry has its trade's direction, distances and time of day (UTC) and is at the open of
    a candle of another day, at most `NEAR_DAYS` away. Without ``repetitions`` there are 1000, fewer
    where there are many trades, but 100 at least. The same ``seed`` gives the same answer.
    """
    if not len(candles):
        return None
    places = np.searchsorted(candles.time_ms, plans.entry_ms, side="right") - 1
    kept = np.flatnonzero(places >= 0)
    if len(kept) < _FEWEST:
        return None
    plans = plans.at(kept)
    follower = TradeFollower(
        candles,
        spreads,
        maximum_hours,
        has_swap=bool(plans.costs.swap.any()),
        triple_swap_day=triple_swap_day,
    )
    own = follower.results(plans, places[kept]).mean()
    if repetitions is None:
        repetitions = min(max(_RANDOM_TRADES // len(plans), _LEAST), _MOST)
    generator = np.random.default_rng(seed)
    choices = _EntryChoices(candles.time_ms, places[kept])
    means: list[float] = []
    at_once = max(_AT_ONCE // len(plans), 1)
    while len(means) < repetitions:
        count = min(at_once, repetitions - len(means))
        drawn = choices.draw(generator, count)
        repeated = plans.at(np.tile(np.arange(len(plans)), count))
        results = follower.results(repeated, drawn.ravel())
        means += results.reshape(count, -1).mean(axis=1).tolist()
    found = np.array(means)
    return RandomEntries(
        trades=len(plans),
        repetitions=repetitions,
        seed=seed,
        r=float(own),
        random_r=Interval.of(found),
        at_least_as_good=float((found >= own).mean()),
        repeated_r=tuple(means),
    )


class _EntryChoices:
    """For each trade the candles that a random entry may be at."""

    def __init__(self, time_ms: Int64s, places: Int64s) -> None:
        _, time_of_day = np.unique(time_ms % DAY_MS, return_inverse=True)
        # Since the first candle, so that the times of day have room above it in one number.
        since, near = time_ms - time_ms[0], NEAR_DAYS * DAY_MS
        room = int(since[-1]) + 2 * near + 1
        # By time of day, then by day: the candles of one time of day stand side by side.
        keys = time_of_day * room + near + since
        self._order = np.argsort(keys)
        own, keys = keys[places], keys[self._order]
        self._first = np.searchsorted(keys, own - near, side="left")
        self._own = np.searchsorted(keys, own)
        self._count = np.searchsorted(keys, own + near, side="right") - self._first - 1

    def draw(self, generator: np.random.Generator, repetitions: int) -> Int64s:
        """Draw a place for each repetition and trade; a trade alone at its time keeps its own."""
        shape = (repetitions, len(self._first))
        chosen = self._first + np.floor(generator.random(shape) * self._count).astype(np.int64)
        # Its own candle is passed over.
        places = np.where(chosen >= self._own, chosen + (self._count > 0), chosen)
        return np.asarray(self._order[places], dtype=np.int64)
