"""How long a whole `manage.py backtest` takes, beside another version and another package.

    python -m tests.benchmarks.bench_backtest [--candles FILE] [--before FOLDER] [--rivals PYTHON]

`--before` names a checkout of another version, which runs with the same interpreter and must print
the same bytes. `--rivals` names the interpreter of an environment that holds pyvsmc: a backtest's
ratio is to its detectors on three windows. Processor seconds (all threads) say more than the clock
on a busy machine; each run is a process of its own, its start included.
"""

# ruff: noqa: T201 - what is printed is the result

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reports_app.experiments.local_trials import processors
from signals_app.importers.candle_files import read_candles
from tests.paths import ROOT, SHARED

_CANDLES = SHARED / "data" / "XAUUSD_M15_histdata_2010-01_to_2017-12_UTC.csv.gz"
_RIVAL = Path(__file__).with_name("rival_detectors.py")
_MANY = 50_000


class Run(NamedTuple):
    """One backtest: processor and clock seconds, and the hash of what it printed."""

    cpu: float
    wall: float
    sha256: str


def main() -> None:
    """Measure and print a line a run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--candles", type=Path, default=_CANDLES, help="M15 or shorter")
    parser.add_argument("--before", type=Path, help="a checkout of another version")
    parser.add_argument("--rivals", type=Path, help="Python that has pyvsmc")
    options = parser.parse_args()
    rival = None if options.rivals is None else _rival(options.rivals, options.candles)
    if rival is not None:
        print(f"pyvsmc, three windows              cpu {rival * 1000:7.1f} ms")
    before = None
    if options.before is not None:
        before = _backtest(options.before, options.candles)
        _print("before", before, rival)
    for workers in sorted({1, 2, processors()}):
        run = _backtest(ROOT, options.candles, "--workers", str(workers))
        _print(f"now, {workers} worker{'s' * (workers > 1)}", run, rival)
        if before is not None:
            same = "the same bytes" if run.sha256 == before.sha256 else "OTHER BYTES"
            print(
                f"{'':34} {before.cpu / run.cpu:.2f} times less cpu, "
                f"{before.wall / run.wall:.2f} times quicker, {same}"
            )


def _print(name: str, run: Run, rival: float | None) -> None:
    ratio = "" if rival is None else f"   cpu ratio to pyvsmc {run.cpu / rival:,.0f}"
    print(f"backtest, {name:24} cpu {run.cpu:6.1f} s   wall {run.wall:6.1f} s{ratio}")


def _backtest(folder: Path, candles: Path, *arguments: str) -> Run:
    command = [sys.executable, "manage.py", "backtest", "--symbol", "XAUUSD", "--json"]
    used, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [*command, "--candles", str(candles), *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        check=True,
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - used.ru_utime + after.ru_stime - used.ru_stime
    return Run(cpu, wall, hashlib.sha256(done.stdout).hexdigest())


def _rival(python: Path, candles: Path) -> float | None:
    part = read_candles(candles).part(0, _MANY)
    with tempfile.TemporaryDirectory() as directory:
        columns = Path(directory) / "candles.npz"
        names = ("time_ms", "open", "high", "low", "close", "volume")
        np.savez(columns, **{name: getattr(part, name) for name in names})
        done = subprocess.run(
            [str(python), str(_RIVAL), str(columns), "--cpu"],
            capture_output=True,
            text=True,
            check=True,
        )
    measured = json.loads(done.stdout.splitlines()[-1])["pyvsmc"]
    if isinstance(measured, str):
        print(f"pyvsmc                             not run: {measured}")
        return None
    return float(measured["three windows"])


if __name__ == "__main__":
    main()
