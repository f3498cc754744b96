"""A search: every candidate is tried on one file, on a stack's workers or on this machine."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from celery import Task

from reports_app.assessment.trial import Trial
from reports_app.backtest.market_files import BadInput
from reports_app.experiments.celery_trials import Workers, by_workers, find_workers
from reports_app.experiments.local_trials import by_processes, processors
from reports_app.experiments.trials import (
    LostTrial,
    Trades,
    plain_market,
    plain_parameters,
    trial_of,
)
from signals_app.confluence.parameters import Parameters
from signals_app.importers.progress import OnProgress
from signals_app.management.hints import manage_py


class Place(StrEnum):
    """Where trials run; `AUTO`: on a stack's workers where there are any, else on this machine."""

    AUTO = "auto"
    CELERY = "celery"
    LOCAL = "local"


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """A search that was done: a trial for each candidate, in their order, and where they ran."""

    trials: tuple[Trial, ...]
    where: str


def search(
    market: Mapping[str, Any],
    candidates: Sequence[Parameters],
    *,
    task: "Task[Any, Any]",
    place: Place,
    processes: int | None,
    on_progress: OnProgress,
    on_lost: Callable[[LostTrial], None],
) -> Search:
    """Try every candidate; ``processes`` of this machine finish what workers do not.

    ``market`` are the arguments of `open_market`, ``task`` runs one trial on a worker. ``on_lost``
    is called when the workers are given up. Raises `LostTrial` where trials cannot be had at all,
    and `BadInput` where ``place`` is the workers and there are none.
    """
    workers = None if place is Place.LOCAL else find_workers(task.app)
    if workers is None and place is Place.CELERY:
        raise BadInput(f"No stack's workers can be reached; start one by `{manage_py('stack')}`.")
    plain = plain_market(dict(market))
    trials = _Trials(candidates, on_progress)
    if workers is not None:
        try:
            trials.take(by_workers(task, workers, plain, trials.left()), _worker_count(workers))
        except LostTrial as lost:
            if place is Place.CELERY:
                raise
            on_lost(lost)
    if trials.left():
        count = processes or processors()
        where = "1 process" if count == 1 else f"{count} processes"
        trials.take(by_processes(count, plain, trials.left()), where)
    return trials.done()


def _worker_count(workers: Workers) -> str:
    return "1 Celery worker" if workers.at_once == 1 else f"{workers.at_once} Celery workers"


@dataclass(slots=True)
class _Trials:
    """The trials of one search as they come in."""

    candidates: Sequence[Parameters]
    on_progress: OnProgress
    trades: dict[int, Trades] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)

    def left(self) -> dict[int, dict[str, Any]]:
        """The candidates that are still to be tried, by their place."""
        return {
            number: plain_parameters(candidate)
            for number, candidate in enumerate(self.candidates)
            if number not in self.trades
        }

    def take(self, finished: Iterator[tuple[int, Trades]], where: str) -> None:
        """Take in trials as they are finished ``where``."""
        self.places.append(where)
        self._show(where)
        for number, trades in finished:
            self.trades[number] = trades
            self._show(where)

    def done(self) -> Search:
        trials = (
            trial_of(candidate, self.trades[number])
            for number, candidate in enumerate(self.candidates)
        )
        return Search(tuple(trials), " and ".join(self.places))

    def _show(self, where: str) -> None:
        done, total = len(self.trades), len(self.candidates)
        self.on_progress(done, total, f"{done} of {total} settings on {where}")
