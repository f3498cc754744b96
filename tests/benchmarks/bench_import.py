"""What an import of M1 candles costs: CPU and memory of the command, CPU of the database.

    python -m tests.benchmarks.bench_import [--rows 2000000]

Makes a file, starts a PostgreSQL of its own, and runs `manage.py import_history` on it, once into
an empty table and once more with all of its candles there already.
"""

# ruff: noqa: T201 - what is printed is the result

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from tests.paths import ROOT
from tests.servers import Servers

_MINUTE_MS = 60_000
_BEGIN_MS = 1_262_304_000_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows = parser.parse_args().rows
    servers = Servers()
    servers.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "XAUUSD_M1.csv"
            # In a process of its own: a child's peak of memory counts from its parent's.
            writer = multiprocessing.Process(target=write_minutes, args=(path, rows))
            writer.start()
            writer.join()
            run("migrate", "--verbosity", "0")
            print(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB")
            for name in ("into an empty table", "once more"):
                measure(name, path)
    finally:
        servers.stop()


def write_minutes(path: Path, rows: int) -> None:
    """A random walk of gold in cents."""
    steps = np.random.default_rng(7).integers(-20, 21, size=(rows, 3))
    opens = 200_000 + np.cumsum(steps[:, 0]) % 90_000
    closes = opens + steps[:, 1]
    highs, lows = np.maximum(opens, closes) + 7, np.minimum(opens, closes) - 7
    moments = (_BEGIN_MS + np.arange(rows) * _MINUTE_MS).astype("datetime64[ms]")
    times = np.datetime_as_string(moments, unit="s").tolist()
    columns = (one.tolist() for one in (opens / 100, highs / 100, lows / 100, closes / 100))
    with path.open("w", encoding="ascii") as file:
        file.write("timestamp,open,high,low,close,volume\n")
        file.writelines(
            f"{time_},{open_:.2f},{high:.2f},{low:.2f},{close:.2f},60\n"
            for time_, open_, high, low, close in zip(times, *columns, strict=True)
        )


def measure(name: str, path: Path) -> None:
    """Run the command and print what it cost."""
    database_before, began = _database_seconds(), time.monotonic()
    child = run_in_background(
        "import_history", str(path), "--symbol", "XAUUSD", "--timeframe", "M1"
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    print(
        f"{name}: {used.ru_utime + used.ru_stime:.1f} s of CPU, {used.ru_maxrss / 1024:.0f} MB at "
        f"most; PostgreSQL {_database_seconds() - database_before:.1f} s of CPU; "
        f"{time.monotonic() - began:.1f} s in all"
    )


def run(*arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, check=True)


def run_in_background(*arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "manage.py", *arguments], cwd=ROOT)


def _database_seconds() -> float:
    """CPU of this process's PostgreSQL, of connections that have ended too."""
    seconds = 0.0
    for child in psutil.Process().children():
        if "postgres" in child.name():
            seconds += sum(child.cpu_times()[:4])
            seconds += sum(sum(one.cpu_times()[:2]) for one in child.children())
    return seconds


if __name__ == "__main__":
    main()
