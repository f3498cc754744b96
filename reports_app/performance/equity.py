"""The balance over time, and how far it fell below its highest point."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from reports_app.performance.statistics import TradeResult, in_order_of_closing
from signals_app.market.tick import Float64s, Int64s


@dataclass(frozen=True, slots=True, eq=False)
class Equity:
    """The balance (account currency) as each trade closed, in order of closing.

    `before` is the balance before the first; `time_ms` and `balance` have one place for each
    closed trade. An account that lost everything stays at zero from `ruined_ms` on (`None` where
    that never came), whatever trades that were still open made later.
    """

    before: float
    time_ms: Int64s
    balance: Float64s
    ruined_ms: int | None = None

    @property
    def growths(self) -> Float64s:
        """What each trade made of the balance before it: 1.01 for one percent more.

        There is no answer after ruin.
        """
        earlier = np.concatenate(([self.before], self.balance[:-1]))
        return self.balance / earlier

    @property
    def drawdowns(self) -> Float64s:
        """How far the balance stood below its highest, in percent of that, at each place."""
        highest = np.maximum.accumulate(np.concatenate(([self.before], self.balance)))[1:]
        return np.asarray(100 * (1 - self.balance / highest), dtype=np.float64)

    @property
    def maximum_drawdown(self) -> float:
        """The deepest fall in percent of the highest balance before it, 0 without trades."""
        return float(self.drawdowns.max(initial=0.0))


def equity_of(results: Iterable[TradeResult], starting_balance: float) -> Equity:
    """Add up the closed trades on a starting balance (account currency)."""
    closed = in_order_of_closing(results)
    profits = np.array([float(result.profit_loss) for result in closed], dtype=np.float64)
    time_ms = np.array([result.closed_ms for result in closed], dtype=np.int64)
    balance = starting_balance + np.cumsum(profits)
    ruined = np.flatnonzero(balance <= 0)
    if not len(ruined):
        return Equity(starting_balance, time_ms, balance)
    first = int(ruined[0])
    balance[first:] = 0.0
    return Equity(starting_balance, time_ms, balance, int(time_ms[first]))
