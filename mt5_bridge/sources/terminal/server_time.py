"""What is known of the server's time: its clock, and up to when its market has been seen."""

import numpy as np

from mt5_bridge.sources.base import Notice
from mt5_bridge.sources.terminal.candles import closes_of_weeks
from mt5_bridge.sources.terminal.clock_finder import ClockFinder
from mt5_bridge.sources.terminal.connection import TerminalConnection
from mt5_bridge.sources.terminal.live_ticks import LiveTicks
from mt5_bridge.sources.terminal.opening import Terminal


class ServerTime:
    """Shows the finder of the clock the terminal's weeks and live ticks.

    ``seconds`` are of a clock that never goes back. Calls may raise `TerminalLostError`.
    """

    def __init__(
        self, terminal: Terminal, symbol: str, connection: TerminalConnection, clock: str
    ) -> None:
        """``symbol`` is the broker's; ``clock`` is "auto" or a name."""
        self.clock = ClockFinder(clock)
        self._terminal = terminal
        self._symbol = symbol
        self._connection = connection
        self._live = LiveTicks(terminal, symbol)

    def look_at_weeks(self, server: str, seconds: float) -> bool:
        """Look at the past year's weeks where that is due; false where none were ever seen."""
        if not self.clock.needs_weeks(seconds):
            return True
        closes_ms = closes_of_weeks(self._terminal, self._symbol)
        if closes_ms is None:
            return self.clock.has_seen_weeks
        self._connection.request_answered()
        self._notify(self.clock.saw_weeks(closes_ms, server, seconds))
        return True

    def look_at_live_ticks(self, now_ms: int, seconds: float) -> None:
        """Hold a tick that has just come against ``now_ms``, the time in UTC."""
        live_ms = self._live.look(seconds)
        if live_ms is None:
            return
        self._notify(self.clock.saw_live_tick(live_ms, now_ms, seconds))
        times, certain = self.clock.evidence.to_utc(np.array([live_ms], dtype=np.int64))
        if certain:
            self._live.market.saw_tick(int(times[0]), seconds)

    def watermark_ms(self, seconds: float) -> int | None:
        """Up to which time in UTC no tick is to come; None where live ticks do not say that."""
        return self._live.market.watermark_ms(seconds)

    def begin_gap(self) -> None:
        """Forget what was live: after an outage what is there may have come at any time."""
        self._live.reset()
        self.clock.forget_live_ticks()

    def _notify(self, notice: Notice | None) -> None:
        if notice is not None:
            self._connection.report.notify(notice.code, notice.message)
