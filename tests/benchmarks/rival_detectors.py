"""Times other packages' detectors on the columns of a file; prints JSON, seconds by task.

Runs in an environment of its own, without this project: `bench_detectors` and `bench_backtest`
start it. `--cpu` counts the processor's seconds instead of the clock's.
"""

# ruff: noqa: T201 - what is printed is the result

import json
import sys
import time

import numpy as np

MANY = 50_000
WINDOW = 200
BUDGET_SECONDS = 60.0
CLOCK = time.process_time if "--cpu" in sys.argv else time.perf_counter


def smartmoneyconcepts(columns):
    """Swings, gaps, structure, order blocks, liquidity and the previous day's high and low."""
    import pandas as pd
    from smartmoneyconcepts import smc

    def run(part):
        frame = pd.DataFrame(
            {name: part[name] for name in ("open", "high", "low", "close", "volume")},
            index=pd.to_datetime(part["time_ms"], unit="ms"),
        )
        swings = smc.swing_highs_lows(frame, swing_length=3)
        return (
            smc.fvg(frame),
            smc.bos_choch(frame, swings),
            smc.ob(frame, swings),
            smc.liquidity(frame, swings),
            smc.previous_high_low(frame, time_frame="1D"),
        )

    return measured(run, columns)


def pyvsmc(columns):
    """The same concepts, and the dealing range."""
    import pyvsmc as smc

    def run(part):
        open_, high, low, close = (part[name] for name in ("open", "high", "low", "close"))
        return (
            smc.detect_swings(high, low, window_size=3),
            smc.detect_fvg(high, low, close=close, compute_mitigation=True),
            smc.detect_structure(high, low, close, window_size=3),
            smc.detect_order_blocks(open_, high, low, close, compute_mitigation=True),
            smc.detect_liquidity(high, low, close),
            smc.detect_zones(high, low, close),
        )

    return measured(run, columns)


def measured(run, columns):
    """Return the best time for three windows and for all candles."""
    windows = [part(columns, end - WINDOW, end) for end in (10_000, 30_000, MANY)]
    everything = part(columns, 0, MANY)
    return {
        "three windows": best(lambda: [run(window) for window in windows]),
        "50,000 candles": best(lambda: run(everything)),
    }


def part(columns, start, end):
    """Return the columns of some candles."""
    return {name: np.ascontiguousarray(column[start:end]) for name, column in columns.items()}


def best(work):
    """Return the quickest of at most ten runs after a first, fewer where they take long."""
    began, started = time.perf_counter(), CLOCK()
    work()
    times = [CLOCK() - started] if time.perf_counter() - began > BUDGET_SECONDS else []
    while len(times) < 10 and (not times or time.perf_counter() - began < BUDGET_SECONDS):
        started = CLOCK()
        work()
        times.append(CLOCK() - started)
    return min(times)


def main():
    """Measure whichever packages are there."""
    columns = dict(np.load(sys.argv[1]))
    found = {}
    for rival in (smartmoneyconcepts, pyvsmc):
        try:
            found[rival.__name__] = rival(columns)
        except Exception as error:
            found[rival.__name__] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))


if __name__ == "__main__":
    main()
