"""Trials on real workers that are killed while they run them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from goldtrader.celery import app
from reports_app.experiments.celery_trials import Workers, by_workers, find_workers
from reports_app.experiments.trials import plain_market
from reports_app.tasks import run_trial
from tests.paths import ROOT
from tests.reports_app.experiments.long_trials import (
    CANDIDATES,
    candles_file,
    expected,
    wait_until,
)
from tests.reports_app.experiments.test_trials import arguments

__all__ = ("candles_file", "expected")


@pytest.fixture
def start_worker(redis_client) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "goldtrader", "worker"),
                *("--queues", "research", "--pool", "prefork", "--concurrency", "1"),
                *("--hostname", f"research{len(started)}@test", "--loglevel", "ERROR"),
                "--without-mingle",
            ],
            cwd=ROOT,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "goldtrader.settings"},
        )
        started.append(worker)
        wait_until(lambda: find_workers(app) is not None)
        return worker

    yield start
    for worker in started:
        kill_all(worker)


def kill_all(worker: subprocess.Popen[bytes]) -> None:
    if worker.poll() is None:
        for child in psutil.Process(worker.pid).children(recursive=True):
            child.kill()
        worker.kill()
        worker.wait()


def process_of_a_trial() -> int | None:
    active = app.control.inspect(timeout=0.2).active() or {}
    running = [task["worker_pid"] for tasks in active.values() for task in tasks]
    return running[0] if running else None


class WhenATrialRuns(threading.Thread):
    """Does something once with the process that runs the first trial."""

    def __init__(self, act: Callable[[int], object]) -> None:
        super().__init__()
        self.act, self.is_done = act, False
        self.start()

    def run(self) -> None:
        deadline = time.monotonic() + 30
        while (pid := process_of_a_trial()) is None:
            if time.monotonic() > deadline:
                return
        self.act(pid)
        self.is_done = True

    def was_done(self) -> bool:
        self.join()
        return self.is_done


def test_a_trial_whose_process_is_killed_is_tried_again(
    start_worker, candles_file: Path, expected
) -> None:
    start_worker()
    killing = WhenATrialRuns(lambda pid: os.kill(pid, signal.SIGKILL))

    found = dict(
        by_workers(
            run_trial, Workers("research", 1), plain_market(arguments(candles_file)), CANDIDATES
        )
    )

    assert killing.was_done()
    assert found == expected


def test_trials_of_a_killed_worker_are_given_to_the_next(
    start_worker, candles_file: Path, expected
) -> None:
    first = start_worker()

    def replace(_pid: int) -> None:
        kill_all(first)
        start_worker()

    replacing = WhenATrialRuns(replace)

    market = plain_market(arguments(candles_file))
    found = dict(
        by_workers(run_trial, Workers("research", 1), market, CANDIDATES, lost_after_seconds=4)
    )

    assert replacing.was_done()
    assert found == expected
