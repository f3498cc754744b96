"""Whether candles are of the timeframe that they are said to be, and on the grid of UTC."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.rows import CORRECT_LINE

Int64s = NDArray[np.int64]

MINUTE_MS: Final = 60_000
LENGTHS: Final = {
    "M1": MINUTE_MS,
    "M5": 5 * MINUTE_MS,
    "M15": 15 * MINUTE_MS,
    "M30": 30 * MINUTE_MS,
    "H1": 60 * MINUTE_MS,
    "H4": 240 * MINUTE_MS,
    "D1": 1440 * MINUTE_MS,
}
"""Every timeframe's length in milliseconds."""
HOUR_MS: Final = LENGTHS["H1"]


class OffGridError(MarketFileError):
    """Candles on a broker's clock: whole hours away from where UTC's candles open."""


def commonest_step(times: Int64s) -> int:
    """How far apart most neighbours are, the nearer of equals; 0 for fewer than two."""
    if len(times) < 2:
        return 0
    steps, counts = np.unique(np.diff(times), return_counts=True)
    return int(steps[np.argmax(counts)])


def name_of(length_ms: int) -> str:
    """The timeframe of that length, or the length in words."""
    known = (name for name, length in LENGTHS.items() if length == length_ms)
    return next(known, f"{length_ms / MINUTE_MS:g} minutes")


@dataclass(slots=True)
class TimeframeCheck:
    """Checks the candles of a file, block by block, against one timeframe.

    `allows_broker_clock` lets H4 and D1 pass that open whole hours beside UTC's, as every broker's
    do: for what looks at one file alone and stores nothing.
    """

    path: Path
    length_ms: int
    allows_broker_clock: bool = False
    last_ms: int | None = None
    steps: Counter[int] = field(default_factory=Counter)
    off_grid: MarketFileError | None = None
    too_near: MarketFileError | None = None

    def add(self, times: Int64s, line_of: Callable[[int], int]) -> None:
        """Take the next candles; raises `MarketFileError` as soon as most are of another length."""
        if not len(times):
            return
        # The very first candle has none before it: as if that were one timeframe earlier.
        is_first = self.last_ms is None
        before = int(times[0]) - self.length_ms if self.last_ms is None else self.last_ms
        steps = np.diff(times, prepend=before)
        lengths, counts = np.unique(steps[1 if is_first else 0 :], return_counts=True)
        self.steps.update(dict(zip(lengths.tolist(), counts.tolist(), strict=True)))
        self.last_ms = int(times[-1])
        self._refuse_another_length()
        self._find_too_near(steps, line_of)
        self._find_off_grid(times, line_of)

    def finish(self) -> None:
        """Raise the `MarketFileError` of the first candle that does not fit.

        `OffGridError` where all do but for the clock that they are on.
        """
        self._refuse_another_length()
        for fault in (self.too_near, self.off_grid):
            if fault is not None:
                raise fault

    @property
    def _name(self) -> str:
        return name_of(self.length_ms)

    def _refuse_another_length(self) -> None:
        if not self.steps:
            return
        most = max(self.steps.values())
        step = min(length for length, count in self.steps.items() if count == most)
        # One step may be a gap; that several gaps are of one length is no chance.
        if step == self.length_ms or (step > self.length_ms and most < 2):
            return
        raise MarketFileError(
            f"{self.path} holds candles of {name_of(step)}, not of {self._name}: most of them are "
            f"{step / MINUTE_MS:g} minutes apart; give a file of {self._name}"
        )

    def _find_too_near(self, steps: Int64s, line_of: Callable[[int], int]) -> None:
        # On a broker's clock a candle may be an hour short when daylight saving begins.
        is_long = self.allows_broker_clock and self.length_ms > HOUR_MS
        near = steps < self.length_ms - (HOUR_MS if is_long else 0)
        places = np.flatnonzero(near)
        if self.too_near is None and len(places):
            place = int(places[0])
            self.too_near = MarketFileError(
                f"{self.path}, line {line_of(place)}: it opens {steps[place] / MINUTE_MS:g} "
                f"minutes after the candle before, in a file of {self._name}; {CORRECT_LINE}"
            )

    def _find_off_grid(self, times: Int64s, line_of: Callable[[int], int]) -> None:
        beside = times % self.length_ms
        if self.allows_broker_clock:
            beside = beside % min(self.length_ms, HOUR_MS)
        places = np.flatnonzero(beside)
        if self.off_grid is not None or not len(places):
            return
        place = int(places[0])
        opening = str(np.datetime64(int(times[place]), "ms"))[:19]
        on_hours = not np.any(beside % HOUR_MS)
        what = (
            f"{self.path}, line {line_of(place)}: it opens at {opening} UTC, where no candle of "
            f"{self._name} opens; "
        )
        if self.length_ms > HOUR_MS and on_hours:
            self.off_grid = OffGridError(
                f"{what}a broker's clock has made it: give a shorter timeframe, from which these "
                "candles are built, or check the time zone"
            )
        else:
            self.off_grid = MarketFileError(f"{what}{CORRECT_LINE}, or check the time zone")


def check_timeframe(
    path: Path,
    times: Int64s,
    length_ms: int,
    line_of: Callable[[int], int],
    *,
    allows_broker_clock: bool = False,
) -> None:
    """Check all candles of a file at once, as `TimeframeCheck` does."""
    check = TimeframeCheck(path, length_ms, allows_broker_clock)
    check.add(times, line_of)
    check.finish()
