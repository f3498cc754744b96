"""How far a search can be trusted: the probability of overfitting, and White's reality check."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from reports_app.assessment.trial import Trial
from signals_app.market.calendar import DAY_MS
from signals_app.market.tick import Float64s

#: Blocks of time of which every half is tried as the one that was seen: 924 ways.
_BLOCKS = 12
_DRAWS = 2000
_WEEK_MS = 7 * DAY_MS
#: Fewer weeks say nothing when they are drawn again.
_FEWEST_WEEKS = 10


def overfitting_probability(trials: Sequence[Trial], begin: int, end: int) -> float | None:
    """The probability of backtest overfitting (0..1) from ``begin`` to ``end`` (Unix ms).

    By combinatorially symmetric cross-validation, after Bailey, Borwein, Lopez de Prado and Zhu,
    The Probability of Backtest Overfitting (2015): the share of halves of time whose best setting
    did worse than the middle one in the other half, where as good as the middle is half of worse.
    `None` for fewer than two trials, a block of time without a trade, or settings that did alike.
    """
    if len(trials) < 2:
        return None
    sums, counts = np.zeros((2, len(trials), _BLOCKS))
    for row, trial in enumerate(trials):
        block = (trial.opened_ms - begin) * _BLOCKS // (end - begin)
        np.add.at(sums[row], block, trial.r)
        np.add.at(counts[row], block, 1.0)
    if not (counts.sum(axis=0) > 0).all():
        return None
    worse, ways = 0.0, 0
    for chosen in combinations(range(_BLOCKS), _BLOCKS // 2):
        seen = np.zeros(_BLOCKS, dtype=np.bool_)
        seen[list(chosen)] = True
        inside, outside = _means(sums, counts, seen), _means(sums, counts, ~seen)
        share = _share_below_the_middle(inside, outside)
        if share is not None:
            worse, ways = worse + share, ways + 1
    return worse / ways if ways else None


def reality_check(trials: Sequence[Trial], begin: int, end: int, *, seed: int) -> float | None:
    """How often (0..1) the best of settings without an edge looks as good as the best does.

    White's Reality Check (2000) on weekly sums of R in standard errors: weeks are drawn again with
    every setting's mean taken away. Settings that trade alike count as alike, so a fine grid is not
    punished for being fine. `None` for fewer than ten weeks or without trades.
    """
    weeks = (end - begin) // _WEEK_MS + 1
    if weeks < _FEWEST_WEEKS:
        return None
    weekly = np.zeros((len(trials), weeks))
    for row, trial in enumerate(trials):
        np.add.at(weekly[row], (trial.opened_ms - begin) // _WEEK_MS, trial.r)
    deviation = weekly.std(axis=1, ddof=1)
    traded = deviation > 0
    if not traded.any():
        return None
    scaled = weekly[traded] / deviation[traded, None]
    means = scaled.mean(axis=1)
    centred = scaled - means[:, None]
    generator = np.random.default_rng(seed)
    best = [
        centred @ np.bincount(generator.integers(0, weeks, weeks), minlength=weeks) / weeks
        for _ in range(_DRAWS)
    ]
    return float((np.max(best, axis=1) >= means.max()).mean())


def _share_below_the_middle(inside: Float64s, outside: Float64s) -> float | None:
    """How the best of ``inside`` did outside: 1 below the middle, 0 above, a half at it.

    Several may be best, and several may have done alike: each shares the ranks they take together.
    `None` where all did alike inside or outside, so that nothing was chosen or set apart.
    """
    # Sums in another order differ by noise; R multiples have two decimals.
    inside, outside = inside.round(9), outside.round(9)
    if np.ptp(inside) == 0 or np.ptp(outside) == 0:
        return None
    best = np.flatnonzero(inside == inside.max())
    below = (outside[None, :] < outside[best, None]).sum(axis=1)
    level = (outside[None, :] == outside[best, None]).sum(axis=1) - 1
    rank = (below + level / 2) / (len(outside) - 1)
    return float((np.sign(0.5 - rank) / 2 + 0.5).mean())


def _means(sums: Float64s, counts: Float64s, blocks: NDArray[np.bool_]) -> Float64s:
    total, count = sums[:, blocks].sum(axis=1), counts[:, blocks].sum(axis=1)
    return np.asarray(total / np.maximum(count, 1.0), dtype=np.float64)
