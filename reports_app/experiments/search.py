"""A search among settings, judged by what it did not see and by what luck would have found."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signals_app.confluence.limits import BadParameter, changed
from signals_app.confluence.parameters import Parameters
from signals_app.market.tick import Float64s, Int64s

#: Blocks of time of which every half is tried as what was seen: 924 ways.
_BLOCKS = 12
_DRAWS = 2000
_WEEK_MS = 7 * 86_400_000
#: A choice made on fewer trades is no choice.
_FEWEST = 10

#: The values of each parameter that may be tried; `None` is "never" where a limit may be left out.
Ranges = Mapping[str, Sequence[float | None]]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One setting's closed trades in order of opening: when (Unix ms) and their R multiples."""

    parameters: Parameters
    opened_ms: Int64s
    closed_ms: Int64s
    r: Float64s


@dataclass(frozen=True, slots=True)
class Figures:
    """Trades, their mean R (`None` without any) and how many standard errors that is from zero."""

    trades: int
    r: float | None
    t: float


@dataclass(frozen=True, slots=True)
class Fold:
    """One step forward: what was chosen on all before `from_ms`, and how it did until `to_ms`."""

    from_ms: int
    to_ms: int
    chosen: int
    in_sample: Figures
    out_of_sample: Figures


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a search found.

    `out_of_sample` are the trades of all folds together, `baseline` those of the first trial over
    the same time. `best` is the trial that looks best over everything, as `in_sample`.
    `overfitting` is the share of halves of time (0..1) whose best setting did worse than the
    middle one in the other half, where as good as the middle is half of worse; `None` where trials
    or trades are too few, or all settings did alike.
    `luck` is how likely the best of that many settings without any edge looks so good or better,
    `None` likewise.
    """

    folds: tuple[Fold, ...]
    out_of_sample: Figures
    baseline: Figures
    best: int
    in_sample: Figures
    overfitting: float | None
    luck: float | None


def grid(base: Parameters, ranges: Ranges) -> list[Parameters]:
    """Return every combination of the ranges' values, ``base`` first.

    Combinations that contradict themselves are left out. Raises `BadParameter` where none is left.
    """
    return _possible(
        base, (dict(zip(ranges, values, strict=True)) for values in product(*ranges.values()))
    )


def sample(base: Parameters, ranges: Ranges, count: int, *, seed: int) -> list[Parameters]:
    """Return ``base`` and at most ``count`` combinations chosen at random, the same for a seed.

    Those that contradict themselves are left out. Raises `BadParameter` where none is left.
    """
    sizes = [len(values) for values in ranges.values()]
    whole = math.prod(sizes)
    generator = np.random.default_rng(seed)
    places = generator.choice(whole, min(count, whole), replace=False)
    every = [np.unravel_index(place, sizes) for place in places.tolist()]
    return _possible(
        base,
        (
            {name: values[int(i)] for (name, values), i in zip(ranges.items(), at, strict=True)}
            for at in every
        ),
    )


def judge(trials: Sequence[Trial], *, folds: int, seed: int) -> Verdict | None:
    """Return what the search is worth; `None` where no trial has a trade.

    Time is cut into ``folds`` + 1 equal parts: each but the first is traded with what was best on
    all parts before it, counting only trades that had closed by then. Best is the mean R in
    standard errors, of those with ten trades at least; else the first trial.
    """
    opened = [trial.opened_ms for trial in trials if len(trial.r)]
    if not opened:
        return None
    begin = min(int(times[0]) for times in opened)
    end = max(int(times[-1]) for times in opened) + 1
    edges = [begin + (end - begin) * part // (folds + 1) for part in range(folds + 2)]
    steps, gained, baseline = [], [], []
    for start, stop in pairwise(edges[1:]):
        seen = [figures(trial.r[trial.closed_ms < start]) for trial in trials]
        chosen = _best(seen)
        gained.append(_between(trials[chosen], start, stop))
        baseline.append(_between(trials[0], start, stop))
        steps.append(Fold(start, stop, chosen, seen[chosen], figures(gained[-1])))
    everything = [figures(trial.r) for trial in trials]
    best = _best(everything)
    return Verdict(
        folds=tuple(steps),
        out_of_sample=figures(np.concatenate(gained)),
        baseline=figures(np.concatenate(baseline)),
        best=best,
        in_sample=everything[best],
        overfitting=_overfitting(trials, begin, end),
        luck=_luck(trials, begin, end, seed=seed),
    )


def figures(r: Float64s) -> Figures:
    """Return the figures of these R multiples; `t` is 0 where there are fewer than two."""
    count = len(r)
    if count < 2:
        return Figures(count, float(r[0]) if count else None, 0.0)
    deviation = float(r.std(ddof=1))
    mean = float(r.mean())
    return Figures(count, mean, mean / (deviation / math.sqrt(count)) if deviation else 0.0)


def _possible(base: Parameters, wanted: Iterable[Mapping[str, Any]]) -> list[Parameters]:
    found: list[Parameters] = []
    refusal: BadParameter | None = None
    for values in wanted:
        try:
            found.append(changed(base, values))
        except BadParameter as bad:
            refusal = bad
    if not found and refusal is not None:
        raise refusal
    return list(dict.fromkeys([base, *found]))


def _best(seen: Sequence[Figures]) -> int:
    ranked = [
        (found.t if found.trades >= _FEWEST else -math.inf, -place)
        for place, found in enumerate(seen)
    ]
    return -max(ranked)[1]


def _between(trial: Trial, start: int, stop: int) -> Float64s:
    return trial.r[(trial.opened_ms >= start) & (trial.opened_ms < stop)]


def _overfitting(trials: Sequence[Trial], begin: int, end: int) -> float | None:
    """Return the probability of backtest overfitting: combinatorially symmetric cross-validation.

    After Bailey, Borwein, Lopez de Prado and Zhu, The Probability of Backtest Overfitting (2015).
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


def _share_below_the_middle(inside: Float64s, outside: Float64s) -> float | None:
    """Return how the best of ``inside`` did outside: 1 below the middle, 0 above, a half at it.

    Several may be best, and several may have done alike: each shares the ranks they take together.
    `None` where all did alike inside or outside, so that nothing was chosen or nothing told apart.
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


def _luck(trials: Sequence[Trial], begin: int, end: int, *, seed: int) -> float | None:
    """Return how often weeks drawn again, with every setting's mean taken away, look so good.

    White's Reality Check (2000) on weekly sums of R in standard errors: settings that trade alike
    count as alike, so a fine grid is not punished for being fine.
    """
    weeks = (end - begin) // _WEEK_MS + 1
    if weeks < _FEWEST:
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
