"""How fast the detectors are, beside their readable twin and two packages from PyPI.

    python -m tests.benchmarks.bench_detectors [--candles FILE] [--rivals PYTHON]

`--rivals` names the interpreter of an environment that holds smartmoneyconcepts and pyvsmc; they
run there, in a process of their own, on the same candles, all of their detectors that we have too.
Every time is the best of several runs after one that warms up.
"""

# ruff: noqa: T201 - what is printed is the result

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from signals_app.importers.candle_files import MarketFileError, read_candles
from signals_app.market.candle import WINDOW, Candles, Timeframe
from signals_app.smc import readable
from signals_app.smc.compiled import detectors
from tests.paths import SHARED

_CANDLES = SHARED / "data" / "XAUUSD_M15_histdata_2010-01_to_2017-12_UTC.csv.gz"
_MANY = 50_000
_IN_COLUMNS = "50,000 candles, in columns"


def main() -> None:
    """Measure, print, and compare where there is something to compare with."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--candles", type=Path, default=_CANDLES, help="at least 50,000 of M15")
    parser.add_argument("--rivals", type=Path, help="Python that has the other packages")
    options = parser.parse_args()
    try:
        candles = read_candles(options.candles)
    except MarketFileError as error:
        parser.error(str(error))
    if len(candles) < _MANY:
        parser.error(f"{options.candles} has {len(candles):,} candles, not {_MANY:,}")

    started = time.perf_counter()
    detectors.warm_up()
    print(f"warm-up (import excluded)                   {_shown(time.perf_counter() - started)}")
    ours = {
        "three windows": _best(lambda: [detectors.analyse(w) for w in _three_windows(candles)]),
        "50,000 candles": _best(lambda: detectors.analyse(candles.part(0, _MANY)), 9),
        _IN_COLUMNS: _best(lambda: detectors.find(candles.part(0, _MANY)), 9),
    }
    print(f"three windows of {WINDOW}, all detectors         {_shown(ours['three windows'])}")
    print(f"50,000 candles in one call                  {_shown(ours['50,000 candles'])}")
    print(f"the same, left in columns                   {_shown(ours[_IN_COLUMNS])}")
    _views(candles)
    _growth(candles)
    _readable(candles, ours["three windows"])
    if options.rivals is None:
        print("other packages                              not asked for: --rivals PYTHON")
    else:
        _rivals(options.rivals, candles, ours)


def _views(candles: Candles) -> None:
    """Print what the pipeline and the backtest ask for: what still stands in a window."""
    window = candles.window(_MANY)
    for name in ("view_structure", "view_gaps", "view_order_blocks", "view_liquidity"):
        seconds = _best(partial(getattr(detectors, name), window), 200)
        print(f"{name:44}{_shown(seconds)}")
    ends = range(_MANY - 5000, _MANY)
    started = time.perf_counter()
    for end in ends:
        detectors.view(candles.window(end), Timeframe.M15)
    each = (time.perf_counter() - started) / len(ends)
    hours = 1 + 1 / 4 + 1 / 16
    print(
        f"whole view, each of 5,000 windows           {_shown(each)}"
        f"   {len(candles):,} M15 windows with their H1 and H4: {len(candles) * hours * each:.1f} s"
    )


def _growth(candles: Candles) -> None:
    for count in (500, 5_000, _MANY):
        part = candles.part(0, count)
        seconds = _best(partial(detectors.analyse, part), 5)
        columns = _best(partial(detectors.find, part), 9)
        print(
            f"per candle, {count:>6,} in one call             {_shown(seconds / count)}"
            f"   in columns {_shown(columns / count).strip()}"
        )


def _readable(candles: Candles, ours: float) -> None:
    theirs = _best(lambda: [readable.analyse(w) for w in _three_windows(candles)], 3)
    print(f"readable twin, three windows                {_shown(theirs)}   {theirs / ours:,.0f}x")


def _rivals(python: Path, candles: Candles, ours: dict[str, float]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        columns = Path(directory) / "candles.npz"
        part = candles.part(0, _MANY)
        np.savez(
            columns,
            time_ms=part.time_ms,
            open=part.open,
            high=part.high,
            low=part.low,
            close=part.close,
            volume=part.volume,
        )
        script = Path(__file__).with_name("rival_detectors.py")
        done = subprocess.run(
            [str(python), str(script), str(columns)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        print(f"other packages                              not run: {done.stderr.strip()[-200:]}")
        return
    for package, measured in json.loads(done.stdout.splitlines()[-1]).items():
        if isinstance(measured, str):
            print(f"{package:44}not run: {measured}")
            continue
        for what, seconds in measured.items():
            ratios = f"{seconds / ours[what]:,.1f}x"
            if what == "50,000 candles":
                # Columns are what the packages return, too.
                ratios += f", in columns {seconds / ours[_IN_COLUMNS]:,.1f}x"
            print(f"{f'{package}, {what}':44}{_shown(seconds)}   {ratios}")


def _three_windows(candles: Candles) -> list[Candles]:
    return [candles.window(end) for end in (10_000, 30_000, _MANY)]


def _best(work: Callable[[], object], times: int = 50) -> float:
    """Return the seconds of the quickest run."""
    work()
    measured = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        measured.append(time.perf_counter() - started)
    return min(measured)


def _shown(seconds: float) -> str:
    if seconds < 1e-6:
        return f"{seconds * 1e9:8.0f} ns"
    if seconds < 1e-3:
        return f"{seconds * 1e6:8.1f} µs"
    return f"{seconds * 1e3:8.2f} ms" if seconds < 1 else f"{seconds:8.2f} s "


if __name__ == "__main__":
    sys.exit(main())
