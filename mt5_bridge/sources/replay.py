"""A file of ticks, played back at a chosen speed."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from mt5_bridge.files.containers import rereadable
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.history import read_history
from mt5_bridge.files.tick_files import open_tick_file
from mt5_bridge.protocol.quote_filter import WITHOUT_JUMPS, LastGood
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.protocol.wire import History
from mt5_bridge.sources.base import Poll, SourceError
from mt5_bridge.sources.playback_clock import PlaybackClock

_WAIT = 0.05
# Ticks handed over at once: enough to write and send in one go, few enough to stay small.
_MAXIMUM_TICKS = 20_000


class ReplaySource:
    """The ticks of a file. Its bookmark says which file it was and how many ticks were taken.

    Quotes that break a rule of the filter do not count. At the end of the file the source is done.
    """

    is_simulated = False
    is_live = False
    trouble = ""

    def __init__(
        self,
        path: str | Path,
        symbol: str,
        *,
        speed: float | None = None,
        history: str | Path | None = None,
        source_timezone: str = "utc",
        digits: int | None = None,
        default_spread: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the file; raises `MarketFileError`. ``speed`` None is as quickly as it goes."""
        self.symbol = symbol
        self._file = open_tick_file(
            path,
            symbol,
            source_timezone=source_timezone,
            digits=digits,
            default_spread=default_spread,
        )
        self._history = history
        self._source_timezone = source_timezone
        self._identity = _identity(Path(path))
        self._speed = speed
        self._clock = clock
        self._playback = PlaybackClock(speed, clock)
        self._chunks: Iterator[Quotes] = iter(())
        self._waiting = Quotes.empty()
        self._taken = 0
        self._refused = 0
        self._last_ms: int | None = None

    @property
    def description(self) -> str:
        """Which file is played, at what speed, and how it was understood."""
        speed = "as quickly as it goes" if self._speed is None else f"at {self._speed:g} times"
        return f"replay of {self._file.path.name} {speed} ({self._file.assumed})"

    def history(self, now_ms: int) -> Sequence[History]:  # noqa: ARG002 - a file has its own time
        """The candles that had closed before the file's first tick; needs ``history``."""
        if self._history is None:
            return []
        first = next((chunk for chunk in self._file.quotes() if len(chunk)), None)
        before_ms = int(first.time_ms[0]) if first is not None else 0
        return read_history(
            self._history,
            self.symbol,
            before_ms=before_ms,
            source_timezone=self._source_timezone,
        )

    def knows(self, bookmark: str) -> bool:
        """Whether the bookmark is of this very file."""
        return self._ticks_before(bookmark) is not None

    def start(
        self,
        bookmark: str | None,
        back: int,
        time_ms: int | None,
        now_ms: int,  # noqa: ARG002 - a file has its own time
    ) -> None:
        """Go to the place in the file; what lies before it is read and checked, too."""
        taken = self._ticks_before(bookmark)
        self._playback = PlaybackClock(self._speed, self._clock)
        self._taken, self._refused, self._last_ms = 0, 0, None
        self._waiting = Quotes.empty()
        self._chunks = self._good_chunks()
        if taken is not None:
            self._skip(lambda _: max(taken - back, 0) - self._taken)
        elif time_ms is not None:
            self._skip(lambda chunk: int(np.count_nonzero(chunk.time_ms <= time_ms)))

    def poll(self, now_ms: int) -> Poll:  # noqa: ARG002 - a file has its own time
        """The ticks that are due. Raises `SourceError` where the file turns bad."""
        if not len(self._waiting):
            self._waiting = self._next_chunk()
        if not len(self._waiting):
            return self._poll(Quotes.empty(), is_done=True)
        due_ms = self._playback.reach(int(self._waiting.time_ms[0]))
        count = int(np.searchsorted(self._waiting.time_ms, due_ms, side="right"))
        ready = self._waiting.part(0, min(count, _MAXIMUM_TICKS))
        self._waiting = self._waiting.part(len(ready))
        return self._poll(ready, is_done=False)

    def interrupt(self) -> None:
        """Nothing of it hangs."""

    def close(self) -> None:
        self._chunks = iter(())

    def _poll(self, quotes: Quotes, *, is_done: bool) -> Poll:
        self._taken += len(quotes)
        if len(quotes):
            self._last_ms = int(quotes.time_ms[-1])
        refused, self._refused = self._refused, 0
        # More ticks of the very last millisecond may follow.
        ends_ms = self._last_ms if is_done or self._last_ms is None else self._last_ms - 1
        return Poll(
            quotes,
            bookmark=json.dumps({"file": self._identity, "ticks": self._taken}),
            watermark_ms=ends_ms,
            wait=0.0 if self._speed is None else _WAIT,
            is_done=is_done,
            refused=refused,
        )

    def _good_chunks(self) -> Iterator[Quotes]:
        # Whether a jump of the price lasts, the server judges.
        quote_filter, last = WITHOUT_JUMPS, LastGood()
        for chunk in self._file.quotes():
            checked = quote_filter.check(chunk, last)
            last = checked.last
            self._refused += len(checked.refusals)
            if len(checked.quotes):
                yield checked.quotes

    def _next_chunk(self) -> Quotes:
        try:
            return next(self._chunks, Quotes.empty())
        except MarketFileError as error:
            raise SourceError(str(error)) from None

    def _skip(self, count_of: Callable[[Quotes], int]) -> None:
        """Read past as many ticks of each chunk as ``count_of`` says, until it leaves some."""
        while len(chunk := self._next_chunk()):
            count = min(count_of(chunk), len(chunk))
            self._taken += count
            if count < len(chunk):
                self._waiting = chunk.part(count)
                break
        self._refused = 0

    def _ticks_before(self, bookmark: str | None) -> int | None:
        """How many ticks of this very file lie before a bookmark; None for another's."""
        try:
            found = json.loads(bookmark or "{}")
            return int(found["ticks"]) if found["file"] == self._identity else None
        except (ValueError, TypeError, KeyError):
            return None


def _identity(path: Path) -> str:
    file = rereadable(path)
    with file.open("rb") as opened:
        head = sha256(opened.read(65_536)).hexdigest()[:16]
    return f"{path.name}:{file.stat().st_size}:{head}"
