"""Ticks of a MetaTrader 5 terminal on this Windows machine.

The `MetaTrader5` package has no callback for ticks: the terminal is asked again and again. Its
place is kept in the server's own time, which needs no clock to be known; ticks leave in UTC, and
none leaves whose UTC is not certain. What may have a gap, at the start and after every outage,
waits until the terminal has filled its history.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.files.broker_time import clock_named
from mt5_bridge.files.history import MAXIMUM_CANDLES, TIMEFRAMES, build_history
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.protocol.wire import CandleRow, ErrorCode, History
from mt5_bridge.sources.base import Poll, SourceError
from mt5_bridge.sources.log_limiter import LogLimiter
from mt5_bridge.sources.terminal.market_time import MarketTime
from mt5_bridge.sources.terminal.server_clock import (
    ClockEvidence,
    all_clocks,
    live_offset,
    weekly_closes,
)
from mt5_bridge.sources.terminal.terminal import SUCCESS, Account, Terminal, TerminalLine
from mt5_bridge.sources.terminal.tick_window import ALL, Place, Rows, Settling, TickWindow

log = logging.getLogger("mt5_bridge.mt5")

_POLL: Final = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
_MOST_TICKS: Final = 20_000
_MOST_OF_A_GAP: Final = 500_000
_WEEK_OF_HOURS: Final = 6_500
"""H1 candles that are looked through for the weeks' ends: a year of them."""
_WEEKS_AGAIN: Final = 300.0
_M15_CANDLES: Final = MAXIMUM_CANDLES * 2 + 16 * 210
_LONGEST_LOOK: Final = 5.0
# A tick that seems to be of the future waits until our clock, perhaps a wrong one, gets there.
_AHEAD_MS: Final = 60_000
# Live ticks that must say the same before a clock is believed, or given up.
_WITNESSES: Final = 3
_LONG_AGREEMENT: Final = 60.0
_OTHERS: Final = 10
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
        account: Account | None = None,
        clock: str = "auto",
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` is "auto" or a name for `broker_time.clock_named`."""
        self.symbol = symbol
        self._terminal = terminal
        self._line = TerminalLine(terminal, symbol, account or Account())
        self._seconds = seconds
        self._losses = -1
        self._server = ""
        self._pause = _FIRST_PAUSE
        # The clock: what could be by the weeks or by order, what is believed, what was before.
        self._is_auto = clock == "auto"
        self._basis = all_clocks() if self._is_auto else ClockEvidence((clock_named(clock),))
        self._clock = self._basis
        self._doubted: ClockEvidence | None = None
        self._weeks_seen_at: float | None = None
        self._agreeing: tuple[int, int, float] | None = None
        # The ticks.
        self._begin_utc_ms: int | None = None
        self._window: TickWindow | None = None
        self._settling: Settling | None = None
        self._is_behind = False
        # What comes over the line right now.
        self._market = MarketTime()
        self._looked: tuple[int, float] | None = None
        self._others: tuple[str, ...] = ()
        self._elsewhere: tuple[list[int], float] | None = None
        self._log_limiter = LogLimiter(every=_WARN_AGAIN)

    @property
    def description(self) -> str:
        """Return which terminal it is, and what its clock is taken for."""
        state = "connected" if self._line.is_working else "NOT CONNECTED"
        server = self._server or "MetaTrader 5"
        return f"{self.symbol} from {server} ({state}; server clock {self._clock.name})"

    # What the connector asks for

    def history(self, now_ms: int) -> Sequence[History]:
        """Return M15, H1 and H4 candles on UTC boundaries; none while the terminal is away."""
        if not self._is_up() or not self._knows_weeks():
            return []
        rates = self._rates(self._terminal.TIMEFRAME_M15, _M15_CANDLES)
        if rates is None or not len(rates):
            return []
        times, certain = self._clock.to_utc(rates["time"].astype(np.int64) * 1000)
        candles = [
            CandleRow(time_ms, *map(float, prices))
            for time_ms, *prices in zip(
                times[:certain].tolist(),
                rates["open"].tolist(),
                rates["high"].tolist(),
                rates["low"].tolist(),
                rates["close"].tolist(),
                rates["tick_volume"].tolist(),
                strict=False,
            )
        ]
        behind_ms = self._begin_utc_ms
        begin_ms = _whole_h4(now_ms) if behind_ms is None else behind_ms + 1
        return build_history(self.symbol, candles, begin_ms)

    def knows(self, bookmark: str) -> bool:
        """Return whether the bookmark is of this symbol."""
        return Place.read(bookmark, self.symbol) is not None

    def start(self, bookmark: str | None, back: int, time_ms: int | None, now_ms: int) -> None:
        """Continue behind the bookmark, or behind a time in UTC; see `Source.start`.

        Without either begin with the H4 candle of now, so that no candle is built from a part of
        its ticks. What lies between is fetched from the terminal's own history.
        """
        place = Place.read(bookmark or "", self.symbol)
        self._window = TickWindow(place) if place is not None and not back else None
        self._begin_utc_ms = _whole_h4(now_ms) - 1 if time_ms is None else time_ms
        self._is_behind = False
        if self._settling is not None:
            self._settling = Settling()

    def poll(self, now_ms: int) -> Poll:
        """Return the ticks since the last one; never raises for a terminal that is away."""
        seconds = self._seconds()
        if not self._is_up():
            pause, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE)
            return self._nothing(wait=pause)
        self._pause = _FIRST_PAUSE
        if not self._knows_weeks():
            self._line.fail("the terminal gives no candles", seconds)
            return self._nothing(wait=1.0)
        self._look(now_ms, seconds)
        window = self._window or self._find_place(now_ms)
        if window is None:
            return self._nothing(wait=_POLL)
        rows = self._fetch(window)
        if rows is None:
            self._line.fail("the terminal gives no ticks", seconds)
            return self._nothing(wait=1.0)
        self._line.work()
        if self._settling is not None and not self._settling.is_settled(rows, seconds):
            return self._nothing(wait=1.0)
        is_full = len(rows) >= (_MOST_TICKS if self._settling is None else _MOST_OF_A_GAP)
        self._settling = None
        return self._hand_over(window, window.new(rows), now_ms, is_full=is_full)

    def close(self) -> None:
        """Let go of the terminal."""
        self._line.close()

    # The terminal

    def _is_up(self) -> bool:
        """Return whether ticks can be had, and take note of what happened meanwhile."""
        is_up = self._line.is_up()
        if self._line.losses != self._losses or self._line.server != self._server:
            if self._line.server != self._server:
                self._meet(self._line.server)
            self._losses = self._line.losses
            self._begin_gap()
        return is_up

    def _meet(self, server: str) -> None:
        """Another broker may have another clock, and of its ticks none was handed over."""
        is_other, self._server = bool(self._server), server
        if is_other and self._is_auto:
            self._basis = self._clock = all_clocks()
            self._weeks_seen_at = None
        if is_other:
            self._doubted = None
            log.warning("the terminal's server is %s now", server)
        if self._window is not None and self._window.place.server != server:
            self._begin_utc_ms = self._window.place.utc_ms
            self._window = None

    def _begin_gap(self) -> None:
        """What comes meanwhile is in the terminal's history, but perhaps not at once."""
        self._settling = Settling()
        self._is_behind = False
        self._market.forget()
        self._looked = self._agreeing = self._elsewhere = None
        self._others = ()

    def _rates(self, timeframe: int, count: int) -> Rows | None:
        """Return up to ``count`` candles before the forming one, oldest first; None on failure."""
        while count >= 100:
            rates: Rows | None = self._terminal.copy_rates_from_pos(
                self.symbol, timeframe, 1, count
            )
            if rates is not None:
                return rates
            # A terminal that holds fewer candles than asked for may give none at all.
            count //= 2
        return None

    # The ticks

    def _find_place(self, now_ms: int) -> TickWindow | None:
        """Turn the UTC time to begin behind into the server's; None while its clock is unknown."""
        begin_ms = self._begin_utc_ms if self._begin_utc_ms is not None else now_ms
        server_ms = self._clock.server_ms(begin_ms)
        if server_ms is None:
            self._warn(
                f"the server's clock is {self._clock.name}: waiting for a live tick to tell, "
                "or give --clock"
            )
            return None
        # Every tick of that millisecond counts as taken.
        self._window = TickWindow(Place(server_ms, ALL, begin_ms, self._server))
        return self._window

    def _fetch(self, window: TickWindow) -> Rows | None:
        """Return all ticks from where new ones may be, oldest first; None where that failed."""
        # Behind, the next page; otherwise the last minute again, for what came late.
        begin_ms = window.place.server_ms if self._is_behind else window.begins_ms()
        rows: Rows | None = self._terminal.copy_ticks_from(
            self.symbol,
            begin_ms // 1000,
            _MOST_TICKS if self._settling is None else _MOST_OF_A_GAP,
            self._terminal.COPY_TICKS_ALL,
        )
        code, text = self._terminal.last_error()
        if rows is None or code != SUCCESS:
            # With a result, too: it is a part of what there is.
            self._warn(f"the terminal gives no ticks ({code}: {text})")
            return None
        if len(rows) > 1 and np.any(np.diff(rows["time_msc"]) < 0):
            rows = rows[np.argsort(rows["time_msc"], kind="stable")]
        return rows

    def _hand_over(self, window: TickWindow, rows: Rows, now_ms: int, *, is_full: bool) -> Poll:
        times, certain = self._clock.to_utc(rows["time_msc"].astype(np.int64))
        ready = self._count_ready(times, certain, now_ms)
        self._is_behind = is_full or ready == _MOST_TICKS
        watermark_ms = None
        if ready == len(rows) and not self._is_behind:
            watermark_ms = self._market.watermark_ms(self._seconds())
        if not ready:
            return self._nothing(wait=_POLL, watermark_ms=watermark_ms)
        rows, times = rows[:ready], times[:ready]
        window.take(rows, int(times[-1]))
        self._log_limiter.reset()
        quotes = Quotes(
            np.ascontiguousarray(times),
            np.ascontiguousarray(rows["bid"], dtype=np.float64),
            np.ascontiguousarray(rows["ask"], dtype=np.float64),
            _or_none(rows["last"]),
            _or_none(rows["volume_real"]),
        )
        wait = 0.0 if self._is_behind else _POLL
        return self._nothing(wait=wait, watermark_ms=watermark_ms, quotes=quotes)

    def _count_ready(self, times: NDArray[np.int64], certain: int, now_ms: int) -> int:
        """Return how many of the first ticks may leave now; the others are read again."""
        early = np.flatnonzero(times[:certain] > now_ms + _AHEAD_MS)
        if len(early):
            ahead = (int(times[early[0]]) - now_ms) / 1000
            self._warn(f"a tick is {ahead:.0f} s ahead of this machine's clock, and waits for it")
            return min(int(early[0]), _MOST_TICKS)
        if certain < len(times):
            self._warn(f"the server's clock is {self._clock.name}: ticks wait until that is sure")
        return min(certain, _MOST_TICKS)

    def _nothing(
        self, *, wait: float, watermark_ms: int | None = None, quotes: Quotes | None = None
    ) -> Poll:
        window = self._window
        return Poll(
            quotes if quotes is not None else Quotes.empty(),
            bookmark=window.place.write(self.symbol) if window is not None else "",
            watermark_ms=watermark_ms,
            wait=wait,
            notices=self._line.notices(),
        )

    # The line, as live ticks show it

    def _look(self, now_ms: int, seconds: float) -> None:
        """Take a tick that was not there a moment ago as a sign of the market's time."""
        tick = self._terminal.symbol_info_tick(self.symbol)
        if tick is None:
            return
        newest_ms = int(tick.time_msc)
        before, self._looked = self._looked, (newest_ms, seconds)
        if before is None or seconds - before[1] > _LONGEST_LOOK:
            return
        if newest_ms <= before[0]:
            self._listen_elsewhere(seconds)
            return
        self._witness(newest_ms, now_ms, seconds)
        times, certain = self._clock.to_utc(np.array([newest_ms], dtype=np.int64))
        if certain:
            self._market.see(int(times[0]), seconds)

    def _listen_elsewhere(self, seconds: float) -> None:
        """While the symbol is silent, see whether other symbols still come over the line."""
        before = self._elsewhere
        if self._market.silence(seconds) < _LONGEST_LOOK or (before and seconds - before[1] < 1):
            return
        if not self._others:
            watched = [each for each in self._terminal.symbols_get() or () if each.select]
            names = [str(each.name) for each in watched if each.name != self.symbol]
            self._others = tuple(names[:_OTHERS]) or (self.symbol,)
        ticks = [self._terminal.symbol_info_tick(name) for name in self._others]
        newest = [0 if tick is None else int(tick.time_msc) for tick in ticks]
        self._elsewhere = newest, seconds
        if before is not None and before[0] != newest:
            # They may have come right after the last look.
            self._market.hear(before[1])

    # The clock

    def _knows_weeks(self) -> bool:
        """Look at the past year's weeks; return whether the terminal has ever answered.

        A terminal that has just been installed is still fetching them: where they leave a doubt it
        is asked again.
        """
        seconds = self._seconds()
        seen_at = self._weeks_seen_at
        if not self._is_auto or (seen_at is not None and len(self._basis.candidates) == 1):
            return True
        if seen_at is not None and seconds - seen_at < _WEEKS_AGAIN:
            return True
        rates = self._rates(self._terminal.TIMEFRAME_H1, _WEEK_OF_HOURS)
        if rates is None:
            return seen_at is not None
        self._line.work()
        self._weeks_seen_at = seconds
        closes = weekly_closes(rates["time"].astype(np.int64) * 1000)
        self._narrow(all_clocks().with_weekly_closes(closes), len(closes))
        return True

    def _narrow(self, basis: ClockEvidence, weeks: int) -> None:
        """Believe what the weeks leave, and of that what live ticks have left before."""
        if basis == self._basis:
            return
        self._basis = basis
        if basis.is_contradictory:
            self._line.tell(
                ErrorCode.SYMBOL_UNAVAILABLE,
                f"{weeks} weeks of {self._server} fit no clock: ticks are held back; give --clock",
            )
        if self._doubted is None:
            self._clock = self._clock.and_also(basis)
        log.info("%s: %d weeks say that its clock is %s", self._server, weeks, basis.name)

    def _witness(self, newest_ms: int, now_ms: int, seconds: float) -> None:
        offset = live_offset(newest_ms, now_ms)
        if offset is None:
            self._agreeing = None
            return
        before = self._agreeing
        if before is None or before[0] != offset:
            before = (offset, 0, seconds)
        self._agreeing = offset, before[1] + 1, before[2]
        if before[1] + 1 >= _WITNESSES:
            self._believe(offset, now_ms, seconds - before[2])

    def _believe(self, offset: int, now_ms: int, agreeing: float) -> None:
        """Leave only the clocks that show what live ticks show, for so many seconds now."""
        if self._doubted is not None:
            self._believe_again(self._doubted, offset, now_ms, agreeing)
            return
        before = self._clock
        after = before.with_live_offset(offset, now_ms)
        if after == before:
            return
        self._clock = after
        if not after.is_contradictory:
            log.info("live ticks say that the server's clock is %s", after.name)
            return
        self._doubted, self._agreeing = before, None
        self._line.tell(
            ErrorCode.SYMBOL_UNAVAILABLE,
            f"live ticks are {offset / 3_600_000:+g} h from UTC, but the server's clock was "
            f"{before.name}: ticks are held back; check this machine's clock or give --clock",
        )

    def _believe_again(
        self, doubted: ClockEvidence, offset: int, now_ms: int, agreeing: float
    ) -> None:
        """End the doubt where ticks fit the old belief again, or long enough another clock.

        It was this machine's clock that was wrong then, or the belief.
        """
        after = doubted.with_live_offset(offset, now_ms)
        if after.is_contradictory and agreeing >= _LONG_AGREEMENT:
            after = self._basis.with_live_offset(offset, now_ms)
        if after.is_contradictory:
            return
        self._clock, self._doubted = after, None
        self._line.tell(
            ErrorCode.MT5_RECONNECTED, f"live ticks fit the server's clock again: {after.name}"
        )

    def _warn(self, sentence: str) -> None:
        """Log what holds the ticks up, again after a while where it lasts."""
        if self._log_limiter.is_due(sentence, self._seconds()):
            log.warning("%s", sentence)


def open_terminal(symbol: str, *, account: Account | None = None, clock: str = "auto") -> Mt5Source:
    """Return the source on this machine's terminal; raises `SourceError` where there is none."""
    try:
        import MetaTrader5
    except ImportError:
        raise SourceError(
            "the package MetaTrader5 is not installed, and exists for Windows only; "
            "run the connector on the terminal's machine, or use --source replay or simulated"
        ) from None
    return Mt5Source(MetaTrader5, symbol, account=account, clock=clock)


def _whole_h4(now_ms: int) -> int:
    return now_ms - now_ms % _H4_MS


def _or_none(values: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return a column, or None where it holds nothing but zeros: this market has none."""
    column = np.ascontiguousarray(values, dtype=np.float64)
    return column if np.any(column) else None
