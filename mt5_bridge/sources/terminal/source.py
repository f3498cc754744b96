"""Ticks of a MetaTrader 5 terminal on this Windows machine.

The `MetaTrader5` package has no callback for ticks: the terminal is asked again and again. The
place in its ticks is kept in the server's own time, which needs no clock to be known; ticks leave
in UTC, and none leaves whose UTC is not certain. What may have a gap, at the start and after every
outage, waits until the terminal has filled its history.
"""

import logging
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Final

from mt5_bridge.files.history import TIMEFRAMES, build_history
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.protocol.wire import History
from mt5_bridge.sources.base import Poll, SourceError
from mt5_bridge.sources.log_limiter import LogLimiter
from mt5_bridge.sources.terminal.calls import TerminalLostError
from mt5_bridge.sources.terminal.candles import m15_candles
from mt5_bridge.sources.terminal.connection import TerminalConnection
from mt5_bridge.sources.terminal.opening import Terminal, TerminalAccount
from mt5_bridge.sources.terminal.process import TerminalProcess
from mt5_bridge.sources.terminal.server_time import ServerTime
from mt5_bridge.sources.terminal.tick_reader import TickReader
from mt5_bridge.sources.terminal.tick_window import TickBookmark

log = logging.getLogger("mt5_bridge.mt5")

_PACKAGE: Final = "MetaTrader5"
POLL_INTERVAL: Final = 0.1
"""Seconds between two looks at the terminal."""
_RETRY: Final = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
_WARN_AGAIN: Final = 600.0
_H4_MS: Final = TIMEFRAMES["H4"]


class Mt5Source:
    """The ticks of one symbol from a terminal, through outages of the terminal and its line."""

    is_simulated = False
    is_live = True

    def __init__(
        self,
        terminal: Terminal,
        symbol: str,
        *,
        account: TerminalAccount | None = None,
        clock: str = "auto",
        broker_symbol: str = "",
        poll_interval: float = POLL_INTERVAL,
        seconds: Callable[[], float] = time.monotonic,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        """``clock`` is "auto" or a name for `broker_time.clock_named`.

        ``broker_symbol`` is the terminal's name of the symbol where it is another one.
        ``poll_interval`` are the seconds between two looks.
        ``end`` lets a call of the terminal that is under way return, called from any thread.
        """
        self.symbol = symbol
        self._broker_symbol = broker_symbol or symbol
        self._poll_interval = poll_interval
        self._terminal = terminal
        self._seconds = seconds
        self._end = end
        self._connection = TerminalConnection(
            terminal, self._broker_symbol, account or TerminalAccount(), seconds
        )
        self._server = ""
        self._losses = -1
        self._pause = _FIRST_PAUSE
        self._time = ServerTime(terminal, self._broker_symbol, self._connection, clock)
        self._clock = self._time.clock
        # For which clock the history was asked for; None where it is to be asked for.
        self._history_shown: int | None = None
        self._reader = TickReader(terminal, self._broker_symbol, self._warn)
        self._log_limiter = LogLimiter(every=_WARN_AGAIN)

    @property
    def trouble(self) -> str:
        return self._connection.report.trouble

    @property
    def description(self) -> str:
        """Which terminal it is, and what its clock is taken for."""
        state = "connected" if self._connection.report.is_working else "NOT CONNECTED"
        server = self._server or "MetaTrader 5"
        name = "" if self._broker_symbol == self.symbol else f" as {self._broker_symbol}"
        parts = [state, f"server clock {self._clock.evidence.name}", self._connection.details]
        return f"{self.symbol}{name} from {server} ({'; '.join(filter(None, parts))})"

    def history(self, now_ms: int) -> Sequence[History]:
        """M15, H1 and H4 candles on UTC boundaries; none before the clock is sure."""
        try:
            if not self._is_up() or not self._clock.is_witnessed:
                return []
            candles = m15_candles(self._terminal, self._broker_symbol, self._clock.evidence)
        except TerminalLostError as error:
            self._connection.not_answered(error, was_up=True)
            return []
        if not candles:
            return []
        behind_ms = self._reader.begin_utc_ms
        begin_ms = _whole_h4(now_ms) if behind_ms is None else behind_ms + 1
        return build_history(self.symbol, candles, begin_ms)

    def knows(self, bookmark: str) -> bool:
        """Whether the bookmark is of this symbol."""
        return TickBookmark.read(bookmark, self._broker_symbol) is not None

    def start(self, bookmark: str | None, back: int, time_ms: int | None, now_ms: int) -> None:
        """Continue behind the bookmark, or behind a time in UTC; see `QuoteSource.start`.

        Without either begin with the H4 candle of now, so that no candle is built from a part of
        its ticks. What lies between is fetched from the terminal's own history.
        """
        self._history_shown = None
        found = TickBookmark.read(bookmark or "", self._broker_symbol) if not back else None
        self._reader.start(found, _whole_h4(now_ms) - 1 if time_ms is None else time_ms)

    def poll(self, now_ms: int) -> Poll:
        """The ticks since the last one; never raises for a terminal that is away."""
        is_up = False
        try:
            is_up = self._is_up()
            if is_up:
                return self._poll_terminal(now_ms)
        except TerminalLostError as error:
            self._connection.not_answered(error, was_up=is_up)
        return self._poll(wait=self._next_pause())

    def interrupt(self) -> None:
        """End the process that talks to the terminal, also while a call hangs."""
        self._end()

    def close(self) -> None:
        self._connection.close()

    def _poll_terminal(self, now_ms: int) -> Poll:
        """The ticks of a terminal that is there; raises `TerminalLostError`."""
        seconds = self._seconds()
        self._pause = _FIRST_PAUSE
        if not self._time.look_at_weeks(self._server, seconds):
            self._connection.request_failed("the terminal gives no candles")
            return self._poll(wait=_RETRY)
        self._time.look_at_live_ticks(now_ms, seconds)
        if not self._has_place(now_ms):
            # Nothing is asked for, and whatever was, was answered.
            self._connection.request_answered()
            return self._poll(wait=self._poll_interval)
        rows = self._reader.fetch()
        if rows is None:
            self._connection.request_failed("the terminal gives no ticks")
            return self._poll(wait=_RETRY)
        self._connection.request_answered()
        if self._reader.is_refused_as_empty:
            return self._poll(wait=_RETRY)
        if not self._reader.is_complete(rows, seconds):
            return self._poll(wait=_RETRY)
        if self._history_shown != self._clock.corrections:
            self._history_shown = self._clock.corrections
            return self._poll(wait=0.0, has_history=True)
        quotes, is_all = self._reader.take(rows, self._clock.evidence, now_ms)
        if len(quotes):
            self._log_limiter.reset()
        watermark_ms = self._time.watermark_ms(self._seconds()) if is_all else None
        wait = 0.0 if len(quotes) and self._reader.is_behind else self._poll_interval
        return self._poll(wait=wait, watermark_ms=watermark_ms, quotes=quotes)

    def _next_pause(self) -> float:
        pause, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE)
        return pause

    def _is_up(self) -> bool:
        """Return whether ticks can be had, and take note of what happened meanwhile."""
        connection = self._connection
        is_up = connection.is_up()
        has_changed = connection.server != self._server
        if has_changed:
            self._server_changed(connection.server)
        if has_changed or connection.report.losses != self._losses:
            # What comes meanwhile is in the terminal's history, but perhaps not at once.
            self._losses = connection.report.losses
            self._reader.begin_gap()
            self._time.begin_gap()
        return is_up

    def _server_changed(self, server: str) -> None:
        is_other, self._server = bool(self._server), server
        if is_other:
            self._history_shown = None
            self._clock.server_changed()
            log.warning("the terminal's server is %s now", server)
        self._reader.server_changed(server)

    def _has_place(self, now_ms: int) -> bool:
        """Whether the clock is sure enough to know from where on to read."""
        if self._clock.is_witnessed:
            return self._reader.find_place(self._clock.evidence, self._server, now_ms)
        self._warn(
            f"the server's clock is {self._clock.evidence.name}: "
            "waiting for live ticks to show which, or give --clock"
        )
        return False

    def _poll(
        self,
        *,
        wait: float,
        watermark_ms: int | None = None,
        quotes: Quotes | None = None,
        has_history: bool = False,
    ) -> Poll:
        return Poll(
            quotes if quotes is not None else Quotes.empty(),
            bookmark=self._reader.bookmark,
            watermark_ms=watermark_ms,
            wait=wait,
            notices=self._connection.report.take_notices(),
            has_history=has_history,
        )

    def _warn(self, sentence: str) -> None:
        """Log what holds the ticks up, again after a while where it lasts."""
        if self._log_limiter.is_due(sentence, self._seconds()):
            log.warning("%s", sentence)


def open_terminal(
    symbol: str,
    *,
    account: TerminalAccount | None = None,
    clock: str = "auto",
    broker_symbol: str = "",
    poll_interval: float = POLL_INTERVAL,
) -> Mt5Source:
    """The source on this machine's terminal; raises `SourceError` where there is none."""
    if find_spec(_PACKAGE) is None:
        raise SourceError(
            "the package MetaTrader5 is not installed, and exists for Windows only; "
            "run the connector on the terminal's machine, or use --source replay or simulated"
        )
    terminal = TerminalProcess(_PACKAGE)
    return Mt5Source(
        terminal,
        symbol,
        account=account,
        clock=clock,
        broker_symbol=broker_symbol,
        poll_interval=poll_interval,
        end=terminal.end,
    )


def _whole_h4(now_ms: int) -> int:
    return now_ms - now_ms % _H4_MS
