"""Trials on real workers and processes that are killed while they run them."""

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
from reports_app.experiments.spread import Workers, by_processes, by_workers, find_workers
from reports_app.experiments.trials import plain_market, plain_parameters, run_trial
from signals_app.confluence.parameters import Parameters
from signals_app.market.calendar import iso
from tests.paths import ROOT
from tests.reports_app.backtest.markets import wandering_ticks
from tests.reports_app.experiments.test_trials import arguments

CANDIDATES = {
    place: plain_parameters(Parameters(threshold=50.0 + place, warm_up_candles=10))
    for place in range(3)
}


@pytest.fixture(scope="module")
def candles_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many candles that a trial takes a second or more."""
    path = tmp_path_factory.mktemp("spread") / "XAUUSD_M15.csv"
    ticks = wandering_ticks(days=80, seconds=900)
    rows = (
        f"{iso(t.time_ms - 137)},{t.bid},{t.bid + 1.5:.5f},{t.bid - 1.5:.5f},{t.bid + 0.1:.5f},9"
        for t in ticks
    )
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]) + "\n")
    return path


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


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


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


@pytest.fixture(scope="module")
def expected(candles_file: Path) -> dict[int, list[list[float]]]:
    market = plain_market(arguments(candles_file))
    found = {place: run_trial(market, each) for place, each in CANDIDATES.items()}
    assert len(found[0]) > 20
    return found


def test_a_trial_whose_process_is_killed_is_tried_again(
    start_worker, candles_file: Path, expected
) -> None:
    start_worker()
    killing = WhenATrialRuns(lambda pid: os.kill(pid, signal.SIGKILL))

    found = dict(
        by_workers(Workers("research", 1), plain_market(arguments(candles_file)), CANDIDATES)
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
    found = dict(by_workers(Workers("research", 1), market, CANDIDATES, patience_seconds=4))

    assert replacing.was_done()
    assert found == expected


def test_what_a_killed_process_had_not_finished_is_begun_again(
    candles_file: Path, expected
) -> None:
    def kill_one() -> None:
        def trying() -> list[psutil.Process]:
            children = psutil.Process().children(recursive=True)
            return [
                child
                for child in children
                if "spawn_main" in " ".join(child.cmdline()) and child.cpu_times().user > 0.1
            ]

        wait_until(lambda: bool(trying()))
        trying()[0].kill()

    thread = threading.Thread(target=kill_one)
    thread.start()

    found = dict(by_processes(2, plain_market(arguments(candles_file)), CANDIDATES))

    thread.join()
    assert found == expected
