"""A source that makes its ticks up: for a first look, for demonstrations and for tests."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from mt5_bridge.files.history import TIMEFRAMES, build_history
from mt5_bridge.protocol.quotes import DAY_MS, Quotes
from mt5_bridge.protocol.wire import CandleRow, History
from mt5_bridge.sources.base import Poll, SourceError
from mt5_bridge.sources.playback_clock import PlaybackClock
from mt5_bridge.sources.simulated.market import (
    PROFILES,
    TradingWeek,
    guessed_profile,
    trading_week,
    week_number,
)

DEFAULT_SPEED: Final = 60.0
DEFAULT_DAYS: Final = 21
_LIVE_MS = 3 * DAY_MS
# Enough H4 candles for the window of 200.
_HISTORY_WEEKS = 9
_MAXIMUM_TICKS = 20_000
_WAIT = 0.1


class SimulatedSource:
    """The made-up market of a seed: the past at once, the last three days quickly, then live.

    The bookmark is the time of the last tick: no two ticks share a millisecond.
    """

    is_simulated = True
    is_live = False
    trouble = ""

    def __init__(
        self,
        symbol: str = "XAUUSD",
        *,
        seed: int = 1,
        speed: float | None = DEFAULT_SPEED,
        from_ms: int | None = None,
        digits: int | None = None,
        default_spread: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take ``from_ms``, by default three weeks ago, as the beginning.

        ``speed`` is that of the last three days before now; None is as quickly as it goes.
        ``digits`` and ``default_spread`` (price) say what a symbol is like that is not known here.
        Raises `SourceError` for one without them.
        """
        profile = PROFILES.get(symbol)
        if profile is None:
            if digits is None or default_spread is None:
                raise SourceError(
                    f"{symbol} cannot be made up without --digits and --default-spread; take one "
                    f"of {', '.join(PROFILES)}"
                )
            profile = guessed_profile(digits, default_spread)
        self.symbol, self._profile = symbol, profile
        self._seed = seed
        self._speed = speed
        self._clock = clock
        self._from_ms = from_ms
        self._playback = PlaybackClock(speed, clock)
        self._week: TradingWeek = self._trading_week(0)
        self._place = 0
        self._last_ms = 0

    @property
    def description(self) -> str:
        """That it is made up, and of which seed."""
        return f"SIMULATED {self.symbol}: made-up prices of seed {self._seed}, no real market"

    def history(self, now_ms: int) -> Sequence[History]:
        """The candles of the nine weeks before the beginning."""
        begin_ms = self._begin_ms(now_ms)
        first = week_number(begin_ms - _HISTORY_WEEKS * 7 * DAY_MS)
        candles: list[CandleRow] = []
        for number in range(first, week_number(begin_ms) + 1):
            candles += _candles(self._trading_week(number).quotes)
        return build_history(self.symbol, candles, begin_ms)

    def knows(self, bookmark: str) -> bool:
        """Whether the bookmark was made by this very market."""
        return self._bookmark_ms(bookmark) is not None

    def start(self, bookmark: str | None, back: int, time_ms: int | None, now_ms: int) -> None:
        """Go to the first tick behind the bookmark, the server's last tick or the beginning."""
        bookmark_ms = None if back else self._bookmark_ms(bookmark)
        after_ms = bookmark_ms if bookmark_ms is not None else time_ms
        self._playback = PlaybackClock(self._speed, self._clock)
        self._seek(self._begin_ms(now_ms) - 1 if after_ms is None else after_ms)

    def poll(self, now_ms: int) -> Poll:
        """The ticks that are due; never one of the future."""
        next_ms = self._next_ms()
        recent_ms = now_ms - _LIVE_MS
        if next_ms <= recent_ms:
            due_ms, is_catching_up = recent_ms, True
        else:
            due_ms = min(self._playback.reach(next_ms), now_ms)
            is_catching_up = self._speed is None and next_ms <= now_ms
        times = self._week.quotes.time_ms
        end = int(np.searchsorted(times, due_ms, side="right"))
        ready = self._week.quotes.part(self._place, min(end, self._place + _MAXIMUM_TICKS))
        if len(ready):
            self._place += len(ready)
            self._last_ms = int(ready.time_ms[-1])
        return Poll(
            ready,
            bookmark=json.dumps({"simulated": [self._seed, self.symbol], "time": self._last_ms}),
            watermark_ms=min(due_ms, self._next_ms() - 1),
            wait=0.0 if is_catching_up else _WAIT,
        )

    def interrupt(self) -> None:
        """Nothing of it hangs."""

    def close(self) -> None:
        """Nothing is held open."""

    def _trading_week(self, number: int) -> TradingWeek:
        return trading_week(self._seed, self.symbol, number, self._profile)

    def _begin_ms(self, now_ms: int) -> int:
        """The beginning: at the opening of an H4 candle, so that each is whole."""
        if self._from_ms is None:
            self._from_ms = now_ms - DEFAULT_DAYS * DAY_MS
        return self._from_ms - self._from_ms % TIMEFRAMES["H4"]

    def _seek(self, time_ms: int) -> None:
        """Go to the first tick later than ``time_ms``."""
        self._week = self._trading_week(week_number(time_ms))
        self._place = int(np.searchsorted(self._week.quotes.time_ms, time_ms, side="right"))
        self._last_ms = time_ms

    def _next_ms(self) -> int:
        """The next tick's time, in the next week where this one is over."""
        while self._place >= len(self._week.quotes):
            self._week = self._trading_week(self._week.number + 1)
            self._place = 0
        return int(self._week.quotes.time_ms[self._place])

    def _bookmark_ms(self, bookmark: str | None) -> int | None:
        try:
            found = json.loads(bookmark or "{}")
            is_own = found["simulated"] == [self._seed, self.symbol]
            return int(found["time"]) if is_own else None
        except (ValueError, TypeError, KeyError):
            return None


def _candles(quotes: Quotes) -> list[CandleRow]:
    """The quotes' M15 candles: bid prices, volume in ticks."""
    buckets = quotes.time_ms // TIMEFRAMES["M15"]
    starts = np.flatnonzero(np.diff(buckets, prepend=-1))
    ends = np.append(starts[1:], len(quotes)) - 1
    rows = zip(
        (buckets[starts] * TIMEFRAMES["M15"]).tolist(),
        quotes.bid[starts].tolist(),
        np.maximum.reduceat(quotes.bid, starts).tolist(),
        np.minimum.reduceat(quotes.bid, starts).tolist(),
        quotes.bid[ends].tolist(),
        (ends - starts + 1).tolist(),
        strict=True,
    )
    return [CandleRow(*row) for row in rows]
