"""Which of a terminal's ticks are new: there is no callback, so everything is asked for twice.

Several ticks share a millisecond, one may reach the terminal after a newer one, and requests begin
at whole seconds. So the last minute is always read again, and what was handed over of it is
remembered tick by tick.
"""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[Any]
"""Ticks as the terminal gives them, in order of `time_msc`."""

EMPTY: Final = np.empty(
    0,
    [("time_msc", "<i8"), *((name, "<f8") for name in ("bid", "ask", "last", "volume_real"))],
)
"""No ticks, with the fields that are read."""

LATEST_MS: Final = 60_000
"""How much later than a newer one a tick may come; the server refuses what is older."""
SETTLED_AFTER: Final = 30.0
"""Seconds for which a history must stay as it is before it counts as complete."""
ALL: Final = 2**31
"""More ticks than a millisecond has: all of them are taken."""

# Without flags and volume: those may change once the history has been synchronised.
_Key: TypeAlias = tuple[int, float, float, float]


@dataclass(frozen=True, slots=True)
class TickBookmark:
    """Behind which tick to continue: server time, and how many of its millisecond are taken.

    `utc_ms` is that tick's time in UTC; `server` the broker's server whose clock it is.
    """

    server_ms: int
    taken: int
    utc_ms: int
    server: str

    def write(self, symbol: str) -> str:
        """Return it as the text that the spool keeps."""
        return json.dumps(
            {
                "mt5": symbol,
                "server": self.server,
                "server_ms": self.server_ms,
                "taken": self.taken,
                "utc_ms": self.utc_ms,
            }
        )

    @classmethod
    def read(cls, text: str, symbol: str) -> "TickBookmark | None":
        """The bookmark of a text; None for another symbol's or another source's."""
        try:
            mark = json.loads(text)
            if mark["mt5"] != symbol:
                return None
            return cls(
                int(mark["server_ms"]),
                int(mark["taken"]),
                int(mark["utc_ms"]),
                str(mark["server"]),
            )
        except (ValueError, TypeError, KeyError):
            return None


class TickWindow:
    """What was handed over behind a bookmark.

    Nothing before the bookmark it began with is ever new: what was handed over there is not known
    tick by tick. Of later ticks the last minute is.
    """

    def __init__(self, bookmark: TickBookmark) -> None:
        self.bookmark = bookmark
        self._begin = bookmark
        self._seen: Counter[_Key] = Counter()

    def begins_ms(self) -> int:
        """The server time from which on ticks may be new."""
        return max(self._begin.server_ms, self.bookmark.server_ms - LATEST_MS)

    def new(self, rows: Rows) -> Rows:
        """Those of ``rows`` that were not handed over, in their order."""
        times = rows["time_msc"]
        first = int(np.searchsorted(times, self.begins_ms(), side="left"))
        if self.begins_ms() == self._begin.server_ms:
            end = int(np.searchsorted(times, self._begin.server_ms, side="right"))
            first = min(first + self._begin.taken, end)
        rows = rows[first:]
        left = self._seen.copy()
        is_new = np.ones(len(rows), np.bool_)
        for index, key in enumerate(_keys(rows)):
            if left[key]:
                left[key] -= 1
                is_new[index] = False
        return rows[is_new]

    def take(self, rows: Rows, utc_ms: int) -> None:
        """Note that ``rows``, new ones, were handed over; ``utc_ms`` is the last one's time."""
        self._seen.update(_keys(rows))
        last_ms = int(rows["time_msc"][-1])
        if last_ms < self.bookmark.server_ms:
            return
        taken = sum(count for key, count in self._seen.items() if key[0] == last_ms)
        if last_ms == self._begin.server_ms:
            taken += self._begin.taken
        self.bookmark = TickBookmark(last_ms, taken, utc_ms, self.bookmark.server)
        begins_ms = self.begins_ms()
        self._seen = Counter(
            {key: count for key, count in self._seen.items() if key[0] >= begins_ms}
        )


class Backfill:
    """A history that the terminal is perhaps still filling, watched until it stays as it is.

    After an outage live ticks may be there before those of the gap, and a part of the gap before
    the rest. More ticks at the end, and late ones of the last minute, are no change.
    """

    def __init__(self) -> None:
        self._times: NDArray[np.int64] | None = None
        self._since = 0.0

    def is_complete(self, rows: Rows, seconds: float) -> bool:
        """Whether nothing has been put between older ticks for long enough."""
        times = rows["time_msc"].astype(np.int64)
        before, self._times = self._times, times
        if before is None or _has_changed(before, times):
            self._since = seconds
        return seconds - self._since >= SETTLED_AFTER


def _has_changed(before: NDArray[np.int64], now: NDArray[np.int64]) -> bool:
    if not len(before):
        return False
    old_ms = before[-1] - LATEST_MS
    return not np.array_equal(before[before < old_ms], now[now < old_ms])


def _keys(rows: Rows) -> list[_Key]:
    return list(
        zip(
            rows["time_msc"].tolist(),
            rows["bid"].tolist(),
            rows["ask"].tolist(),
            rows["last"].tolist(),
            strict=True,
        )
    )
