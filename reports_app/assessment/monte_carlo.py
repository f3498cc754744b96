"""Monte Carlo: how else the same trades could have come out, drawn again with replacement."""

from dataclasses import dataclass

import numpy as np

from reports_app.performance.equity import Equity
from signals_app.market.tick import Float64s

#: Two trades say nothing about a third.
_FEWEST = 10
_DRAWS = 5000
#: Draws at a time, so that memory stays flat.
_AT_ONCE = 250
_PERCENTILES = (5, 50, 95)


@dataclass(frozen=True, slots=True)
class Interval:
    """The 5th, 50th and 95th percentile of draws."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Float64s) -> "Interval":
        """Of these values there is at least one."""
        low, middle, high = np.percentile(values, _PERCENTILES).tolist()
        return cls(low, middle, high)


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    """The result of as many trades drawn from those there were, with replacement.

    `profit` is account currency from the same starting balance, `drawdown` percent of the highest
    balance, `r` the mean in R. `losing_share` is the share of the draws (0..1) that lost money.
    """

    draws: int
    seed: int
    profit: Interval
    drawdown: Interval
    r: Interval
    losing_share: float


def monte_carlo(
    equity: Equity, r_multiples: Float64s, *, seed: int, draws: int = _DRAWS
) -> MonteCarlo | None:
    """Draw the trades again and again; `None` for fewer than ten trades or after ruin.

    Each trade brings the share of the balance that it won or lost, and these compound. A draw
    takes trades one by one, so it knows nothing of streaks beyond chance. The same ``seed`` gives
    the same answer.
    """
    count = len(equity.balance)
    if min(count, len(r_multiples)) < _FEWEST or equity.ruined_ms is not None:
        return None
    generator = np.random.default_rng(seed)
    growths, profits, drawdowns, means = equity.growths, [], [], []
    for begin in range(0, draws, _AT_ONCE):
        drawn = generator.integers(0, count, (min(_AT_ONCE, draws - begin), count))
        balances = np.cumprod(growths[drawn], axis=1)
        highest = np.maximum(np.maximum.accumulate(balances, axis=1), 1.0)
        profits.append(equity.before * (balances[:, -1] - 1))
        drawdowns.append(100 * (1 - balances / highest).max(axis=1))
        means.append(generator.choice(r_multiples, drawn.shape).mean(axis=1))
    profit = np.concatenate(profits)
    return MonteCarlo(
        draws=draws,
        seed=seed,
        profit=Interval.of(profit),
        drawdown=Interval.of(np.concatenate(drawdowns)),
        r=Interval.of(np.concatenate(means)),
        losing_share=float((profit < 0).mean()),
    )
