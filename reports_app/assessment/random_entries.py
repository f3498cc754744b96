"""The signals against chance: the same trades, entered on other days at the same time of day.

What a market does anyway (its drift, its hours, its spread) and what stops and targets of this
size do to any entry is in both. What is left between them is what the signals knew.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reports_app.assessment.monte_carlo import Interval
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.tick import Float64s, Int64s
from trades_app.lifecycle.risk import nights_between

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_GRID = 1e5
#: A random entry is on a day at most this far away: the same market, as wide awake.
NEAR_DAYS = 30
_FEWEST = 10
#: Random trades in all, and the fewest and the most repetitions that they make.
_RANDOM_TRADES, _LEAST, _MOST = 400_000, 100, 1000
#: Random trades followed at a time, so that memory stays flat.
_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """What each trade costs beside the spread, in price, as columns.

    `commission` is for the round turn and paid at the opening, `swap` is by night and negative
    where it costs, `slippage` worsens every fill at the market: entry, stop, expiry.
    """

    commission: Float64s
    swap: Float64s
    slippage: Float64s

    @classmethod
    def none(cls, count: int) -> "Costs":
        """Return no costs for so many trades."""
        return cls(*np.zeros((3, count)))


@dataclass(frozen=True, slots=True, eq=False)
class Plans:
    """Trades as they were planned, as columns: where they begin and how far stop and targets are.

    `entry_ms` is when, `sign` is 1 for BUY and -1 for SELL, distances are in price from the quote
    that they entered at.
    """

    entry_ms: Int64s
    sign: Int64s
    stop: Float64s
    target_1: Float64s
    target_2: Float64s
    costs: Costs

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
    plans = _chosen(plans, kept)
    follower = _Follower(candles, spreads, maximum_hours, has_swap=bool(plans.costs.swap.any()))
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
    """Follows many trades candle by candle, all at once.

    The table of docs/domain/trades.md, in columns.

    A stop is assumed before a target; half closes at the first target and the stop goes to the
    entry and what the trade costs. What is open at the end of the candles closes there.
    """

    def __init__(
        self, candles: Candles, spreads: Float64s, maximum_hours: float | None, *, has_swap: bool
    ) -> None:
        self._candles, self._spreads = candles, spreads
        hours = 1e9 if maximum_hours is None else maximum_hours
        self._maximum_ms = round(hours * _HOUR_MS)
        opened = candles.time_ms
        following = np.append(opened[1:], opened[-1] + Timeframe.M15.milliseconds)
        closed = np.minimum(opened + Timeframe.M15.milliseconds, following)
        self._nights_open, self._nights_close = (
            _nights_since_first(np.stack((opened, closed)))
            if has_swap
            else np.zeros((2, len(candles)))
        )

    def results(self, plans: Plans, places: Int64s) -> Float64s:
        """Return each trade's result in R."""
        candles, costs, last = self._candles, plans.costs, len(self._candles) - 1
        total = -costs.commission - costs.slippage
        left = np.arange(len(plans))
        at, sign = places.copy(), plans.sign
        spread = self._spreads[places]
        entry = candles.open[places] + np.where(sign > 0, spread, 0.0)
        expiry = candles.time_ms[places] + self._maximum_ms
        nights = self._nights_open[places]
        halves = _Halves(np.zeros(len(plans), dtype=np.bool_), np.zeros(len(plans)))
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
                nights_open=self._nights_open[i] - nights[left],
                nights_close=self._nights_close[i] - nights[left],
                is_expired=candles.time_ms[i] >= expiry[left],
                is_last=i == last,
            )
            won, is_done, halves = _after_candle(one, _chosen(plans, left), halves)
            total[left] += won
            left = left[~is_done]
            halves = _Halves(halves.is_closed[~is_done], halves.stop[~is_done])
            at[left] += 1
        return total / plans.stop


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One candle for each trade: how far its prices are on the winning side of the entry.

    Nights are those since the entry, at the candle's open and at its end.
    """

    opened: Float64s
    worst: Float64s
    best: Float64s
    closed: Float64s
    nights_open: Float64s
    nights_close: Float64s
    is_expired: NDArray[np.bool_]
    is_last: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Halves:
    """Which trades have half of them closed at the first target, and where the stop then is."""

    is_closed: NDArray[np.bool_]
    stop: Float64s

    def moved(self, now: NDArray[np.bool_], plans: Plans, nights: Float64s) -> "_Halves":
        """Return them with those that reach it ``now``: the stop goes to break-even."""
        costs = plans.costs
        paid = costs.commission - np.minimum(costs.swap * nights, 0.0)
        # Away from the entry, to the grid that prices stand on; less is noise of the floats.
        steps = np.ceil(np.round((paid + costs.slippage) * _GRID, 6))
        even = costs.slippage + steps / _GRID
        return _Halves(self.is_closed | now, np.where(now, even, self.stop))


def _after_candle(
    step: _Step, plans: Plans, before: _Halves
) -> tuple[Float64s, NDArray[np.bool_], _Halves]:
    """Return the price won in this candle by each trade, whether it ended, and what is halved."""
    swap, slippage, target_1, target_2 = (
        plans.costs.swap,
        plans.costs.slippage,
        plans.target_1,
        plans.target_2,
    )
    was_halved = before.is_closed
    size = np.where(was_halved, 0.5, 1.0)
    jumped = step.opened <= np.where(was_halved, before.stop, -plans.stop)
    # The open comes first: what it is beyond is reached before anything else.
    halved_at_open = ~was_halved & ~jumped & (step.opened >= target_1)
    ended_at_target = (was_halved | halved_at_open) & ~jumped & (step.opened >= target_2)
    expired = step.is_expired & ~jumped & ~ended_at_target
    at_open = jumped | expired | ended_at_target
    at_open_halves = before.moved(halved_at_open, plans, step.nights_open)
    halved = at_open_halves.is_closed
    level = np.where(halved, at_open_halves.stop, -plans.stop)
    stopped = ~at_open & (step.worst <= level)
    reached_1 = ~at_open & ~stopped & ~halved & (step.best >= target_1)
    halves = at_open_halves.moved(reached_1, plans, step.nights_close)
    fell_back = reached_1 & (step.worst <= halves.stop)
    reached_2 = ~at_open & ~stopped & ~fell_back & halves.is_closed & (step.best >= target_2)
    ended_late = step.is_last & ~at_open & ~stopped & ~fell_back & ~reached_2

    paid_open, paid_close = swap * step.nights_open, swap * step.nights_close
    rest_at_open = np.where(halved, 0.5, 1.0)
    rest = np.where(halves.is_closed, 0.5, 1.0)
    won = np.where(halved_at_open, 0.5 * (target_1 + paid_open), 0.0)
    won += np.where(reached_1, 0.5 * (target_1 + paid_close), 0.0)
    won += np.where(jumped, size * (step.opened - slippage + paid_open), 0.0)
    won += np.where(expired, rest_at_open * (step.opened - slippage + paid_open), 0.0)
    won += np.where(ended_at_target, 0.5 * (target_2 + paid_open), 0.0)
    won += np.where(reached_2, 0.5 * (target_2 + paid_close), 0.0)
    won += np.where(stopped, rest_at_open * (level - slippage + paid_close), 0.0)
    won += np.where(fell_back, 0.5 * (halves.stop - slippage + paid_close), 0.0)
    won += np.where(ended_late, rest * (step.closed - slippage + paid_close), 0.0)
    return won, at_open | stopped | fell_back | reached_2 | ended_late, halves


def _nights_since_first(time_ms: Int64s) -> Float64s:
    """Return at each time the nights that swap was paid for since the first of them."""
    # The trading day turns at a full hour, so one time of each hour says it for all.
    hours, at = np.unique(time_ms // _HOUR_MS, return_inverse=True)
    starts = (hours * _HOUR_MS).tolist()
    between = [nights_between(*pair) for pair in pairwise(starts)]
    nights = np.concatenate(([0.0], np.cumsum(between)))
    return np.asarray(nights[at.reshape(time_ms.shape)], dtype=np.float64)


def _won(price: Float64s, entry: Float64s, sign: Int64s, spread: Float64s) -> Float64s:
    """Return the distance won at ``price`` (bid): SELL buys back at the ask."""
    return np.asarray(sign * (price + np.where(sign > 0, 0.0, spread) - entry), dtype=np.float64)


def _chosen(plans: Plans, places: Int64s) -> Plans:
    costs = plans.costs
    return Plans(
        plans.entry_ms[places],
        plans.sign[places],
        plans.stop[places],
        plans.target_1[places],
        plans.target_2[places],
        Costs(costs.commission[places], costs.swap[places], costs.slippage[places]),
    )
