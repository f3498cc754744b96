"""Where the milliseconds of a close go, read from the log of a stack's pipeline worker.

    python -m tests.benchmarks.close_trace var/logs/worker-pipeline.log

Each line is a step of the chain behind a close: how many milliseconds after the gateway received
the tick that ended the candle it was done, and how many of them the step itself took.
"""
# ruff: noqa: T201 - what is printed is the result

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.bench_gateway import percentile

STEPS = (
    "candles stored",
    "first detector done",
    "last detector done",
    "confluence done",
    "close decided",
)
_DETECTORS = 4


@dataclass
class _Close:
    received: float
    stored: float
    detected: list[float] = field(default_factory=list)
    scored: float = 0.0
    decided: float = 0.0

    @property
    def is_whole(self) -> bool:
        return len(self.detected) == _DETECTORS and self.scored > 0 and self.decided > 0

    def milestones(self) -> tuple[float, ...]:
        ends = (self.stored, min(self.detected), max(self.detected), self.scored, self.decided)
        return tuple(end - self.received for end in ends)


def traces(lines: Iterable[str]) -> list[tuple[float, ...]]:
    """Return for each close the milliseconds from its tick's receipt to the end of each step."""
    closes: dict[str, _Close] = {}
    for line in lines:
        event = _event(line)
        at = datetime.fromisoformat(event["timestamp"]).timestamp() * 1000 if event else 0.0
        name, candle = event.get("event"), event.get("candle", "")
        if name == "candles_closed" and event.get("received_ms"):
            closes[candle] = _Close(event["received_ms"], at)
        elif name == "detector_done" and candle in closes:
            closes[candle].detected.append(at)
        elif name == "confluence_done" and candle in closes:
            closes[candle].scored = at
        elif name == "closes_decided" and candle in closes:
            closes[candle].decided = at
    return [close.milestones() for close in closes.values() if close.is_whole]


def print_table(found: list[tuple[float, ...]]) -> None:
    """Print each step's end and own time, at the median and the 99th percentile."""
    print(f"{'step':22}{'end p50':>10}{'end p99':>10}{'took p50':>10}{'took p99':>10}   ms")
    for place, step in enumerate(STEPS):
        ends = [close[place] for close in found]
        took = [close[place] - (close[place - 1] if place else 0.0) for close in found]
        shown = [percentile(values, share) for values in (ends, took) for share in (0.5, 0.99)]
        print(f"{step:22}" + "".join(f"{value:10.1f}" for value in shown))
    print(f"{len(found)} closes")


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) and "timestamp" in event else {}


if __name__ == "__main__":
    with Path(sys.argv[1]).open() as log:
        print_table(traces(log))
