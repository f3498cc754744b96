"""Walk forward: each stretch of time is traded with the setting that was best before it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from reports_app.assessment.overfitting import overfitting_probability, reality_check
from reports_app.assessment.trial import Figures, Trial, figures
from signals_app.market.tick import Float64s

#: A choice made on fewer trades is no choice.
_FEWEST_TRADES = 10


@dataclass(frozen=True, slots=True)
class Fold:
    """One step forward: the trial chosen on all before `from_ms`, and how it did until `to_ms`."""

    from_ms: int
    to_ms: int
    chosen: int
    in_sample: Figures
    out_of_sample: Figures


@dataclass(frozen=True, slots=True)
class SearchVerdict:
    """What a search among settings found.

    `out_of_sample` are the trades of all folds together, `baseline` those of the first trial over
    the same time. `best` is the trial that looks best over everything, as `in_sample`.
    `overfitting` is the probability of backtest overfitting (0..1), `reality_check` its
    p-value (0..1): how likely the best of that many settings without any edge looks so good.
    Both are `None` where trials or trades are too few, or all settings did alike.
    """

    folds: tuple[Fold, ...]
    out_of_sample: Figures
    baseline: Figures
    best: int
    in_sample: Figures
    overfitting: float | None
    reality_check: float | None


def judge(trials: Sequence[Trial], *, folds: int, seed: int) -> SearchVerdict | None:
    """Judge a search; `None` where no trial has a trade.

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
    return SearchVerdict(
        folds=tuple(steps),
        out_of_sample=figures(np.concatenate(gained)),
        baseline=figures(np.concatenate(baseline)),
        best=best,
        in_sample=everything[best],
        overfitting=overfitting_probability(trials, begin, end),
        reality_check=reality_check(trials, begin, end, seed=seed),
    )


def _best(seen: Sequence[Figures]) -> int:
    ranked = [
        (found.t if found.trades >= _FEWEST_TRADES else -math.inf, -place)
        for place, found in enumerate(seen)
    ]
    return -max(ranked)[1]


def _between(trial: Trial, start: int, stop: int) -> Float64s:
    return trial.r[(trial.opened_ms >= start) & (trial.opened_ms < stop)]
