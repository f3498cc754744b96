"""Trials in processes of which one is killed."""

import threading
from pathlib import Path

import psutil

from reports_app.experiments.local_trials import by_processes
from reports_app.experiments.trials import plain_market
from tests.reports_app.experiments.long_trials import (
    CANDIDATES,
    candles_file,
    expected,
    wait_until,
)
from tests.reports_app.experiments.test_trials import arguments

__all__ = ("candles_file", "expected")


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
