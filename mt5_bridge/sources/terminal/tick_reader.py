"""Reads the terminal's ticks in order, in pages, and each of them once."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.sources.terminal.calls import PIPE_FAILURES, SUCCESS
from mt5_bridge.sources.terminal.opening import Terminal
from mt5_bridge.sources.terminal.server_clock import ClockEvidence
from mt5_bridge.sources.terminal.tick_window import (
    ALL,
    EMPTY,
    Backfill,
    Rows,
    TickBookmark,
    TickWindow,
)

PAGE: Final = 20_000
"""Ticks that are handed over at once."""

# While the terminal may be filling a gap, all of it has to be looked at.
_GAP_PAGE: Final = 500_000
# A tick that seems to be of the future waits until our clock, perhaps a wrong one, gets there.
_MAXIMUM_AHEAD_MS: Final = 60_000


class TickReader:
    """Where reading stands. `begin_utc_ms` is behind which time it began, None before `start`.

    `is_behind` says that there are more ticks than one page held; `is_refused_as_empty` that the
    last `fetch` was refused because there are no ticks yet behind the place.
    """

    def __init__(self, terminal: Terminal, symbol: str, warn: Callable[[str], None]) -> None:
        """``warn`` gets a sentence on whatever holds ticks up, over and over while it does."""
        self.begin_utc_ms: int | None = None
        self.is_behind = False
        self.is_refused_as_empty = False
        self._terminal = terminal
        self._symbol = symbol
        self._warn = warn
        self._window: TickWindow | None = None
        self._backfill: Backfill | None = None

    @property
    def bookmark(self) -> str:
        """What `start` continues from, empty where no place was found yet."""
        return self._window.bookmark.write(self._symbol) if self._window is not None else ""

    def start(self, bookmark: TickBookmark | None, begin_utc_ms: int) -> None:
        """Continue behind the bookmark, or without one behind a time in UTC."""
        self._window = TickWindow(bookmark) if bookmark is not None else None
        self.begin_utc_ms = begin_utc_ms
        self.is_behind = False
        if self._backfill is not None:
            self._backfill = Backfill()

    def begin_gap(self) -> None:
        """Expect that ticks are missing, and come into the history after those of now."""
        self._backfill = Backfill()
        self.is_behind = False

    def server_changed(self, server: str) -> None:
        """Find the place anew by its UTC time: another broker has other ticks and a clock."""
        if self._window is not None and self._window.bookmark.server != server:
            self.begin_utc_ms = self._window.bookmark.utc_ms
            self._window = None

    def find_place(self, clock: ClockEvidence, server: str, now_ms: int) -> bool:
        """Turn the time to begin behind into the server's; false while its clock is unknown."""
        if self._window is not None:
            return True
        begin_ms = self.begin_utc_ms if self.begin_utc_ms is not None else now_ms
        server_ms = clock.server_ms(begin_ms)
        if server_ms is None:
            self._warn(
                f"the server's clock is {clock.name}: waiting for a live tick to tell, "
                "or give --clock"
            )
            return False
        # Every tick of that millisecond counts as taken.
        self._window = TickWindow(TickBookmark(server_ms, ALL, begin_ms, server))
        return True

    def fetch(self) -> Rows | None:
        """All ticks from where new ones may be, oldest first; None where that failed.

        `find_place` comes first.
        """
        assert self._window is not None
        # Behind, the next page; otherwise the last minute again, for what came late.
        begin_ms = self._window.bookmark.server_ms if self.is_behind else self._window.begins_ms()
        rows: Rows | None = self._terminal.copy_ticks_from(
            self._symbol, begin_ms // 1000, self._page(), self._terminal.COPY_TICKS_ALL
        )
        code, text = self._terminal.last_error()
        is_empty = rows is None or not len(rows)
        self.is_refused_as_empty = (
            is_empty and code not in (SUCCESS, *PIPE_FAILURES) and self._is_newest_before(begin_ms)
        )
        if self.is_refused_as_empty:
            return EMPTY
        if rows is None or code != SUCCESS:
            # With a result, too: it is a part of what there is.
            self._warn(f"the terminal gives no ticks ({code}: {text})")
            return None
        if is_empty:
            return EMPTY
        if len(rows) > 1 and np.any(np.diff(rows["time_msc"]) < 0):
            rows = rows[np.argsort(rows["time_msc"], kind="stable")]
        return rows

    def is_complete(self, rows: Rows, seconds: float) -> bool:
        """Whether the terminal has filled its history as far as ``rows`` reach."""
        return self._backfill is None or self._backfill.is_complete(rows, seconds)

    def take(self, rows: Rows, clock: ClockEvidence, now_ms: int) -> tuple[Quotes, bool]:
        """What of complete ``rows`` is new and may leave, and whether that is all there is.

        Ticks leave in UTC; one whose UTC is not certain, or of the future, waits and is read again.
        """
        assert self._window is not None
        is_full = len(rows) >= self._page()
        self._backfill = None
        new = self._window.new(rows)
        times, certain = clock.to_utc(new["time_msc"].astype(np.int64))
        ready = self._count_ready(times, certain, clock, now_ms)
        self.is_behind = is_full or ready == PAGE
        is_all = ready == len(new) and not self.is_behind
        if not ready:
            return Quotes.empty(), is_all
        new, times = new[:ready], times[:ready]
        self._window.take(new, int(times[-1]))
        quotes = Quotes(
            np.ascontiguousarray(times),
            np.ascontiguousarray(new["bid"], dtype=np.float64),
            np.ascontiguousarray(new["ask"], dtype=np.float64),
            _or_none(new["last"]),
            _or_none(new["volume_real"]),
        )
        return quotes, is_all

    def _is_newest_before(self, server_ms: int) -> bool:
        """Whether the terminal knows no tick from then on, as at a weekend."""
        tick = self._terminal.symbol_info_tick(self._symbol)
        return tick is None or int(tick.time_msc) < server_ms - server_ms % 1000

    def _count_ready(
        self, times: NDArray[np.int64], certain: int, clock: ClockEvidence, now_ms: int
    ) -> int:
        """How many of the first ticks may leave now; the others are read again."""
        early = np.flatnonzero(times[:certain] > now_ms + _MAXIMUM_AHEAD_MS)
        if len(early):
            ahead = (int(times[early[0]]) - now_ms) / 1000
            self._warn(f"a tick is {ahead:.0f} s ahead of this machine's clock, and waits for it")
            return min(int(early[0]), PAGE)
        if certain < len(times):
            self._warn(f"the server's clock is {clock.name}: ticks wait until that is sure")
        return min(certain, PAGE)

    def _page(self) -> int:
        return PAGE if self._backfill is None else _GAP_PAGE


def _or_none(values: NDArray[Any]) -> NDArray[np.float64] | None:
    """A column, or None where it holds nothing but zeros: this market has none."""
    column = np.ascontiguousarray(values, dtype=np.float64)
    return column if np.any(column) else None
