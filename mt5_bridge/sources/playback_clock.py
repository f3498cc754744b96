"""The clock by which past market time is played back: at a speed, or as quickly as it goes."""

import time
from collections.abc import Callable
from typing import Final

CLOSED_MS: Final = 1_800_000
"""A silence longer than this is a closed market, which is skipped."""


class PlaybackClock:
    """A clock of market time, in Unix milliseconds, that runs ``speed`` times as fast as ours."""

    def __init__(self, speed: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """``speed`` None is as quickly as it goes. The clock stands until `reach` is called."""
        self.speed = speed
        self._clock = clock
        self._market_ms: float | None = None
        self._reached_at = 0.0

    def reach(self, next_ms: int) -> int:
        """Up to which time ticks are due, where the next tick is of ``next_ms``."""
        if self.speed is None:
            return 2**62
        now = self._clock()
        if self._market_ms is None:
            self._market_ms = next_ms
        else:
            self._market_ms += (now - self._reached_at) * 1000 * self.speed
            if next_ms - self._market_ms > CLOSED_MS:
                self._market_ms = next_ms
        self._reached_at = now
        return int(self._market_ms)
