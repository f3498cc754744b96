"""A market that goes on while it is looked at: ticks of the hours before now, and of the present.

It shows its ticks by the machine's real clock, whatever clock a process believes in.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.protocol.wire import History
from mt5_bridge.sources.base import Poll

SYMBOL = "XAUUSD"
HOUR_MS = 3_600_000
_MOST = 500


def true_ms() -> int:
    """Return the time; a wrong clock (`tests/stand_ins/wrong_clock`) does not move it."""
    return time.clock_gettime_ns(time.CLOCK_REALTIME) // 1_000_000


@dataclass(frozen=True)
class Market:
    """Ticks in order, several of them in the same millisecond, and when each can be seen first."""

    quotes: Quotes
    due_ms: NDArray[np.int64]

    @classmethod
    def made_up(cls, *, hours: int, catching_up: float, live: float) -> "Market":
        """Return a market of the last ``hours``, to be seen within ``catching_up`` seconds from
        now on, and from then on of ``live`` seconds that are still to come.
        """
        now_ms = true_ms()
        present_ms = now_ms + round(catching_up * 1000)
        past = np.linspace(present_ms - hours * HOUR_MS, present_ms, hours * 1200, endpoint=False)
        coming = present_ms + 10 * np.arange(round(live * 100))
        due = np.concatenate([np.linspace(now_ms, present_ms, len(past)), coming])
        times = np.concatenate([past, coming]).astype(np.int64)
        # Every third tick comes in the same millisecond as the two before it.
        first_of_three = np.arange(len(times)) // 3 * 3
        steps = np.random.default_rng(7).integers(-2, 3, len(times))
        bid = np.round(2000 + np.cumsum(steps) / 100, 2)
        quotes = Quotes(times[first_of_three], bid, np.round(bid + 0.3, 2))
        return cls(quotes, due.astype(np.int64)[first_of_three])

    def write(self, path: Path) -> None:
        """Write it where a connector in another process finds it."""
        quotes = self.quotes
        np.savez(path, time=quotes.time_ms, bid=quotes.bid, ask=quotes.ask, due=self.due_ms)

    @classmethod
    def read(cls, path: Path) -> "Market":
        """Return the market of a file."""
        found = np.load(path)
        return cls(Quotes(found["time"], found["bid"], found["ask"]), found["due"])


class LiveSource:
    """A terminal's view of the market; the bookmark is the number of ticks seen."""

    symbol = SYMBOL
    is_simulated = False
    is_live = True
    trouble = ""
    description = "a market of now"

    def __init__(self, market: Market) -> None:
        self._market = market
        self._place = 0

    def history(self, now_ms: int) -> Sequence[History]:
        return ()

    def knows(self, bookmark: str) -> bool:
        return bookmark.isdigit()

    def start(self, bookmark: str | None, back: int, time_ms: int | None, now_ms: int) -> None:
        if bookmark is not None and bookmark.isdigit():
            self._place = max(int(bookmark) - back, 0)
        elif time_ms is not None:
            times = self._market.quotes.time_ms
            self._place = int(np.searchsorted(times, time_ms, side="right"))
        else:
            self._place = 0

    def poll(self, now_ms: int) -> Poll:
        market, seen_ms = self._market, true_ms()
        seen = int(np.searchsorted(market.due_ms, seen_ms, side="right"))
        end = min(seen, self._place + _MOST)
        # Ticks of one millisecond are seen together.
        while end < seen and market.due_ms[end] == market.due_ms[end - 1]:
            end += 1
        quotes = market.quotes.part(self._place, end)
        self._place = max(end, self._place)
        is_all = self._place == len(market.due_ms)
        next_ms = None if is_all else int(market.quotes.time_ms[self._place])
        return Poll(
            quotes,
            str(self._place),
            watermark_ms=seen_ms - 1 if next_ms is None else min(seen_ms, next_ms) - 1,
            wait=0.05,
        )

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        pass
