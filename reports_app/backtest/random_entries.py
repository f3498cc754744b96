"""The signals against chance: the same trades, entered on other days at the same time of day.

What a market does anyway (its drift, its hours, its spread) and what stops and targets of this
size do to any entry is in both. What is left between them is what the signals knew.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports_app.backtest.luck import Interval
from signals_app.market.candle import Candles
from signals_app.market.tick import Float64s, Int64s

_DAY_MS = 86_400_000
#: A random entry is on a day at most this far away: the same market, as wide awake.
NEAR_DAYS = 30
_FEWEST = 10
#: Random trades in all, and the fewest and the most repetitions that they make.
_RANDOM_TRADES, _LEAST, _MOST = 400_000, 100, 1000
#: Random trades followed at a time, so that memory stays flat.
_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Plans:
    """Trades as they were planned, as columns: where they begin and how far stop and targets are.

    `entry_ms` is when, `sign` is 1 for BUY and -1 for SELL, distances are in price from the entry.
    """

    entry_ms: Int64s
    sign: Int64s
    stop: Float64s
    target_1: Float64s
    target_2: Float64s

    def __len__(self) -> int:
        return len(self.entry_ms)


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


def compare(
    plans: Plans,
    candles: Candles,
    spreads: Float64s,
    *,
    seed: int,
    maximum_hours: float | None,
    repetitions: int | None = None,
) -> RandomEntries | None:
    """Return how random entries did beside the planned ones; `None` for fewer than ten trades.

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
    follower = _Follower(candles, spreads, maximum_hours)
    plans = _chosen(plans, kept)
    own = follower.results(plans, places[kept]).mean()
    if repetitions is None:
        repetitions = min(max(_RANDOM_TRADES // len(plans), _LEAST), _MOST)
    generator = np.random.default_rng(seed)
    choices = _Choices(candles.time_ms, places[kept])
    means: list[float] = []
    at_once = max(_AT_ONCE // len(plans), 1)
    while len(means) < repetitions:
        count = min(at_once, repetitions - len(means))
        drawn = choices.draw(generator, count)
        repeated = _chosen(plans, np.tile(np.arange(len(plans)), count))
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


class _Choices:
    """For each trade the candles that a random entry may be at."""

    def __init__(self, time_ms: Int64s, places: Int64s) -> None:
        _, time_of_day = np.unique(time_ms % _DAY_MS, return_inverse=True)
        # Since the first candle, so that the times of day have room above it in one number.
        since, near = time_ms - time_ms[0], NEAR_DAYS * _DAY_MS
        room = int(since[-1]) + 2 * near + 1
        # By time of day, then by day: the candles of one time of day stand side by side.
        keys = time_of_day * room + near + since
        self._order = np.argsort(keys)
        own, keys = keys[places], keys[self._order]
        self._first = np.searchsorted(keys, own - near, side="left")
        self._own = np.searchsorted(keys, own)
        self._count = np.searchsorted(keys, own + near, side="right") - self._first - 1

    def draw(self, generator: np.random.Generator, repetitions: int) -> Int64s:
        """Return a place for each repetition and trade; a trade alone at its time keeps its own."""
        shape = (repetitions, len(self._first))
        chosen = self._first + np.floor(generator.random(shape) * self._count).astype(np.int64)
        # Its own candle is passed over.
        places = np.where(chosen >= self._own, chosen + (self._count > 0), chosen)
        return np.asarray(self._order[places], dtype=np.int64)


class _Follower:
    """Follows many trades candle by candle, all at once: the table of docs/trades.md in columns.

    A stop is assumed before a target; half closes at the first target and the stop goes to the
    entry. What is open at the end of the candles closes there.
    """

    def __init__(self, candles: Candles, spreads: Float64s, maximum_hours: float | None) -> None:
        self._candles, self._spreads = candles, spreads
        hours = 1e9 if maximum_hours is None else maximum_hours
        self._maximum_ms = round(hours * 3_600_000)

    def results(self, plans: Plans, places: Int64s) -> Float64s:
        """Return each trade's result in R."""
        candles, last = self._candles, len(self._candles) - 1
        total = np.zeros(len(plans))
        left = np.arange(len(plans))
        at, sign = places.copy(), plans.sign
        spread = self._spreads[places]
        entry = candles.open[places] + np.where(sign > 0, spread, 0.0)
        expiry = candles.time_ms[places] + self._maximum_ms
        is_halved = np.zeros(len(plans), dtype=np.bool_)
        while len(left):
            i = at[left]
            one = _Step(
                opened=_won(candles.open[i], entry[left], sign[left], spread[left]),
                worst=_won(
                    np.where(sign[left] > 0, candles.low[i], candles.high[i]),
                    entry[left],
                    sign[left],
                    spread[left],
                ),
                best=_won(
                    np.where(sign[left] > 0, candles.high[i], candles.low[i]),
                    entry[left],
                    sign[left],
                    spread[left],
                ),
                closed=_won(candles.close[i], entry[left], sign[left], spread[left]),
                is_expired=candles.time_ms[i] >= expiry[left],
                is_last=i == last,
            )
            won, is_done, halved = _after_candle(
                one, plans.stop[left], plans.target_1[left], plans.target_2[left], is_halved[left]
            )
            total[left] += won
            is_halved[left] = halved
            left = left[~is_done]
            at[left] += 1
        return total / plans.stop


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One candle for each trade: how far its prices are on the winning side of the entry."""

    opened: Float64s
    worst: Float64s
    best: Float64s
    closed: Float64s
    is_expired: NDArray[np.bool_]
    is_last: NDArray[np.bool_]


def _after_candle(
    step: _Step,
    stop: Float64s,
    target_1: Float64s,
    target_2: Float64s,
    was_halved: NDArray[np.bool_],
) -> tuple[Float64s, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the price won in this candle by each trade, whether it ended and is halved."""
    level = np.where(was_halved, 0.0, -stop)
    size = np.where(was_halved, 0.5, 1.0)
    jumped = step.opened <= level
    # The open comes first: what it is beyond is reached before anything else.
    halved_at_open = ~was_halved & ~jumped & ~step.is_expired & (step.opened >= target_1)
    ended_at_target = (was_halved | halved_at_open) & ~step.is_expired & (step.opened >= target_2)
    at_open = jumped | step.is_expired | ended_at_target
    halved = was_halved | halved_at_open
    level = np.where(halved, 0.0, -stop)
    stopped = ~at_open & (step.worst <= level)
    reached_1 = ~at_open & ~stopped & ~halved & (step.best >= target_1)
    fell_back = reached_1 & (step.worst <= 0.0)
    halved_now = halved | reached_1
    reached_2 = ~at_open & ~stopped & ~fell_back & halved_now & (step.best >= target_2)
    ended_late = step.is_last & ~at_open & ~stopped & ~fell_back & ~reached_2

    won = np.where(halved_at_open | reached_1, 0.5 * target_1, 0.0)
    won += np.where((jumped | step.is_expired) & ~ended_at_target, size * step.opened, 0.0)
    rest = np.where(halved_now, 0.5, 1.0)
    won += np.where(ended_at_target | reached_2, 0.5 * target_2, 0.0)
    won += np.where(stopped, np.where(halved, 0.0, -stop), 0.0)
    won += np.where(ended_late, rest * step.closed, 0.0)
    is_done = at_open | stopped | fell_back | reached_2 | ended_late
    return won, is_done, halved_now


def _won(price: Float64s, entry: Float64s, sign: Int64s, spread: Float64s) -> Float64s:
    """Return the distance won at ``price`` (bid): SELL buys back at the ask."""
    return np.asarray(sign * (price + np.where(sign > 0, 0.0, spread) - entry), dtype=np.float64)


def _chosen(plans: Plans, places: Int64s) -> Plans:
    return Plans(
        plans.entry_ms[places],
        plans.sign[places],
        plans.stop[places],
        plans.target_1[places],
        plans.target_2[places],
    )
