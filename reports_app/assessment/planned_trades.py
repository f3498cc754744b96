"""Trades followed candle by candle, many at once: the table of docs/domain/trades.md in columns."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from signals_app.market.calendar import HOUR_MS
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.instrument import WEDNESDAY
from signals_app.market.tick import Float64s, Int64s
from trades_app.lifecycle.risk import nights_between

#: Steps of price in one: prices stand on a grid of five decimals.
_GRID = 1e5


@dataclass(frozen=True, slots=True, eq=False)
class PlannedCosts:
    """What each trade costs beside the spread, in price, as columns.

    `commission` is for the round turn and paid at the opening, `swap` is by night and negative
    where it costs, `slippage` worsens every fill at the market: entry, stop, expiry.
    """

    commission: Float64s
    swap: Float64s
    slippage: Float64s

    @classmethod
    def none(cls, count: int) -> "PlannedCosts":
        """The costs of so many trades that are free."""
        return cls(*np.zeros((3, count)))


@dataclass(frozen=True, slots=True, eq=False)
class PlannedTrades:
    """Trades as they were planned, as columns: where they begin and how far stop and targets are.

    `entry_ms` is when, `sign` is 1 for BUY and -1 for SELL, distances are in price from the quote
    that they entered at.
    """

    entry_ms: Int64s
    sign: Int64s
    stop: Float64s
    target_1: Float64s
    target_2: Float64s
    costs: PlannedCosts

    def __len__(self) -> int:
        return len(self.entry_ms)

    def at(self, places: Int64s) -> "PlannedTrades":
        """The trades at these places, in their order; one may be there several times."""
        costs = self.costs
        return PlannedTrades(
            self.entry_ms[places],
            self.sign[places],
            self.stop[places],
            self.target_1[places],
            self.target_2[places],
            PlannedCosts(costs.commission[places], costs.swap[places], costs.slippage[places]),
        )


class TradeFollower:
    """Follows planned trades over one market's candles.

    A stop is assumed before a target; half closes at the first target and the stop goes to the
    entry and what the trade costs. What is open at the end of the candles closes there.
    """

    def __init__(
        self,
        candles: Candles,
        spreads: Float64s,
        maximum_hours: float | None,
        *,
        has_swap: bool,
        triple_swap_day: int = WEDNESDAY,
    ) -> None:
        self._candles, self._spreads = candles, spreads
        hours = 1e9 if maximum_hours is None else maximum_hours
        self._maximum_ms = round(hours * HOUR_MS)
        opened = candles.time_ms
        following = np.append(opened[1:], opened[-1] + Timeframe.M15.milliseconds)
        closed = np.minimum(opened + Timeframe.M15.milliseconds, following)
        self._nights_open, self._nights_close = (
            _nights_since_first(np.stack((opened, closed)), triple_swap_day)
            if has_swap
            else np.zeros((2, len(candles)))
        )

    def results(self, plans: PlannedTrades, places: Int64s) -> Float64s:
        """Each trade's result in R, entered at the open of the candle at its place."""
        # Only now: importing numba takes most of a second, which not every command should pay.
        from reports_app.assessment.touches import next_touched

        candles, costs, last = self._candles, plans.costs, len(self._candles) - 1
        total = -costs.commission - costs.slippage
        left = np.arange(len(plans))
        at, sign = places.copy(), plans.sign
        spread = self._spreads[places]
        entry = candles.open[places] + np.where(sign > 0, spread, 0.0)
        expiry = candles.time_ms[places] + self._maximum_ms
        nights = self._nights_open[places]
        halves = _Halves(np.zeros(len(plans), dtype=np.bool_), np.zeros(len(plans)))
        market = np.array((candles.open, candles.high, candles.low), dtype=np.float64)
        times = np.array(candles.time_ms, dtype=np.int64)
        while len(left):
            level = np.where(halves.is_closed[left], halves.stop[left], -plans.stop[left])
            target = np.where(halves.is_closed[left], plans.target_2[left], plans.target_1[left])
            i = next_touched(
                times,
                market,
                at[left],
                entry[left],
                sign[left],
                spread[left],
                expiry[left],
                level,
                target,
            )
            at[left] = i + 1
            one = _Step(
                prices=_Prices.of(candles, i, entry[left], sign[left], spread[left]),
                nights_open=self._nights_open[i] - nights[left],
                nights_close=self._nights_close[i] - nights[left],
                is_expired=times[i] >= expiry[left],
                is_last=i == last,
            )
            won, is_done, after = _after_candle(one, plans.at(left), halves.at(left))
            total[left] += won
            halves.is_closed[left], halves.stop[left] = after.is_closed, after.stop
            left = left[~is_done]
        return total / plans.stop


@dataclass(frozen=True, slots=True, eq=False)
class _Prices:
    """One candle for each trade: how far its prices are on the winning side of the entry."""

    opened: Float64s
    worst: Float64s
    best: Float64s
    closed: Float64s

    @classmethod
    def of(
        cls, candles: Candles, places: Int64s, entry: Float64s, sign: Int64s, spread: Float64s
    ) -> "_Prices":
        high, low = candles.high[places], candles.low[places]
        return cls(
            _won(candles.open[places], entry, sign, spread),
            _won(np.where(sign > 0, low, high), entry, sign, spread),
            _won(np.where(sign > 0, high, low), entry, sign, spread),
            _won(candles.close[places], entry, sign, spread),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One candle for each trade, and the nights since the entry at its open and at its end."""

    prices: _Prices
    nights_open: Float64s
    nights_close: Float64s
    is_expired: NDArray[np.bool_]
    is_last: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Halves:
    """Which trades have half of them closed at the first target, and where the stop then is."""

    is_closed: NDArray[np.bool_]
    stop: Float64s

    def at(self, places: Int64s) -> "_Halves":
        """Those of the trades at these places."""
        return _Halves(self.is_closed[places], self.stop[places])

    def moved(self, now: NDArray[np.bool_], plans: PlannedTrades, nights: Float64s) -> "_Halves":
        """Add those that reach the first target ``now``: their stop goes to break-even."""
        costs = plans.costs
        paid = costs.commission - np.minimum(costs.swap * nights, 0.0)
        # Away from the entry, to the grid that prices stand on; less is noise of the floats.
        steps = np.ceil(np.round((paid + costs.slippage) * _GRID, 6))
        even = costs.slippage + steps / _GRID
        return _Halves(self.is_closed | now, np.where(now, even, self.stop))


def _after_candle(
    step: _Step, plans: PlannedTrades, before: _Halves
) -> tuple[Float64s, NDArray[np.bool_], _Halves]:
    """The price won in this candle by each trade, whether it ended, and what is halved."""
    swap, slippage, target_1, target_2 = (
        plans.costs.swap,
        plans.costs.slippage,
        plans.target_1,
        plans.target_2,
    )
    was_halved = before.is_closed
    size = np.where(was_halved, 0.5, 1.0)
    jumped = step.prices.opened <= np.where(was_halved, before.stop, -plans.stop)
    # The open comes first: what it is beyond is reached before anything else.
    halved_at_open = ~was_halved & ~jumped & (step.prices.opened >= target_1)
    ended_at_target = (was_halved | halved_at_open) & ~jumped & (step.prices.opened >= target_2)
    expired = step.is_expired & ~jumped & ~ended_at_target
    at_open = jumped | expired | ended_at_target
    at_open_halves = before.moved(halved_at_open, plans, step.nights_open)
    halved = at_open_halves.is_closed
    level = np.where(halved, at_open_halves.stop, -plans.stop)
    stopped = ~at_open & (step.prices.worst <= level)
    reached_1 = ~at_open & ~stopped & ~halved & (step.prices.best >= target_1)
    halves = at_open_halves.moved(reached_1, plans, step.nights_close)
    fell_back = reached_1 & (step.prices.worst <= halves.stop)
    reached_2 = ~at_open & ~stopped & ~fell_back & halves.is_closed & (step.prices.best >= target_2)
    ended_late = step.is_last & ~at_open & ~stopped & ~fell_back & ~reached_2

    paid_open, paid_close = swap * step.nights_open, swap * step.nights_close
    rest_at_open = np.where(halved, 0.5, 1.0)
    rest = np.where(halves.is_closed, 0.5, 1.0)
    won = np.where(halved_at_open, 0.5 * (target_1 + paid_open), 0.0)
    won += np.where(reached_1, 0.5 * (target_1 + paid_close), 0.0)
    won += np.where(jumped, size * (step.prices.opened - slippage + paid_open), 0.0)
    won += np.where(expired, rest_at_open * (step.prices.opened - slippage + paid_open), 0.0)
    won += np.where(ended_at_target, 0.5 * (target_2 + paid_open), 0.0)
    won += np.where(reached_2, 0.5 * (target_2 + paid_close), 0.0)
    won += np.where(stopped, rest_at_open * (level - slippage + paid_close), 0.0)
    won += np.where(fell_back, 0.5 * (halves.stop - slippage + paid_close), 0.0)
    won += np.where(ended_late, rest * (step.prices.closed - slippage + paid_close), 0.0)
    return won, at_open | stopped | fell_back | reached_2 | ended_late, halves


def _nights_since_first(time_ms: Int64s, triple_swap_day: int) -> Float64s:
    """Count at each time the nights that swap was paid for since the first time."""
    # The trading day turns at a full hour, so one time of each hour says it for all.
    hours, at = np.unique(time_ms // HOUR_MS, return_inverse=True)
    starts = (hours * HOUR_MS).tolist()
    between = [nights_between(*pair, triple_swap_day) for pair in pairwise(starts)]
    nights = np.concatenate(([0.0], np.cumsum(between)))
    return np.asarray(nights[at.reshape(time_ms.shape)], dtype=np.float64)


def _won(price: Float64s, entry: Float64s, sign: Int64s, spread: Float64s) -> Float64s:
    """The distance won at ``price`` (bid): SELL buys back at the ask."""
    return np.asarray(sign * (price + np.where(sign > 0, 0.0, spread) - entry), dtype=np.float64)
