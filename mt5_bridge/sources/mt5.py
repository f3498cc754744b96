"""Ticks of a MetaTrader 5 terminal on this Windows machine.

The `MetaTrader5` package has no callback for ticks: the terminal is asked again and again from the
last tick on. Several ticks share a millisecond and requests begin at whole seconds, so the source
remembers the last tick's time and how many of that very millisecond it has taken. Its place is
kept in the server's own time, which needs no clock to be known; ticks leave in UTC, and none leaves
whose UTC is not certain.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.broker_time import clock_named
from mt5_bridge.history import MAXIMUM_CANDLES, TIMEFRAMES, build_history
from mt5_bridge.quotes import Quotes
from mt5_bridge.sources.base import Notice, Poll, SourceError
from mt5_bridge.sources.server_clock import (
    ClockEvidence,
    all_clocks,
    live_offset,
    weekly_closes,
)
from mt5_bridge.wire import CandleRow, ErrorCode, History

log = logging.getLogger("mt5_bridge.mt5")

Rows: TypeAlias = NDArray[Any]

_POLL: Final = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
_MOST_TICKS: Final = 20_000
_WEEK_OF_HOURS: Final = 6_500
"""H1 candles that are looked through for the weeks' ends: a year of them."""
_M15_CANDLES: Final = MAXIMUM_CANDLES * 2 + 16 * 210
# A tick may reach the terminal this much later than one that is newer.
_LATENESS_MS: Final = 15_000
_LONGEST_LOOK_MS: Final = 5_000
# Live ticks that must say the same before a clock is believed, or given up.
_WITNESSES: Final = 3
_H4_MS: Final = TIMEFRAMES["H4"]


class Terminal(Protocol):
    """What is used of the `MetaTrader5` package."""

    COPY_TICKS_ALL: int
    TIMEFRAME_M15: int
    TIMEFRAME_H1: int

    def initialize(self, *path: str, **account: Any) -> bool:
        """Find or start the terminal."""

    def shutdown(self) -> None:
        """Let go of the terminal."""

    def last_error(self) -> tuple[int, str]:
        """Return code and text of the last failure."""

    def terminal_info(self) -> Any:
        """Return the terminal's state, with `connected`; None where it is gone."""

    def account_info(self) -> Any:
        """Return the account, with `server`; None where there is none."""

    def symbol_select(self, symbol: str, enable: bool, /) -> bool:
        """Put the symbol into the market watch."""

    def symbol_info_tick(self, symbol: str, /) -> Any:
        """Return the newest tick, with `time_msc`; None on failure."""

    def copy_ticks_from(self, symbol: str, date_from: int, count: int, flags: int, /) -> Any:
        """Return ticks from a second on as a structured array; None on failure."""

    def copy_rates_from_pos(
        self, symbol: str, timeframe: int, start_pos: int, count: int, /
    ) -> Any:
        """Return candles, the newest at position 0, as a structured array; None on failure."""


@dataclass(frozen=True, slots=True)
class Account:
    """How to open the terminal: its path and the account, empty for what is already open."""

    path: str = ""
    login: int | None = None
    password: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Behind which tick to continue: server time, and how many of its millisecond are taken.

    `utc_ms` is that tick's time in UTC, where there was one; `server` the broker's server that
    counts so.
    """

    server_ms: int
    taken: int
    utc_ms: int
    server: str


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
    ) -> None:
        """``clock`` is "auto" or a name for `broker_time.clock_named`."""
        self.symbol = symbol
        self._terminal = terminal
        self._account = account or Account()
        self._clock = all_clocks() if clock == "auto" else ClockEvidence((clock_named(clock),))
        self._is_auto = clock == "auto"
        self._is_open = False
        self._is_lost = False
        self._is_symbol_lost = False
        self._pause = _FIRST_PAUSE
        self._server = ""
        self._has_seen_weeks = False
        self._begin_utc_ms: int | None = None
        self._place: _Place | None = None
        self._newest_seen: tuple[int, int] | None = None
        self._witnesses: list[int] = []
        self._lag_ms: int | None = None
        self._settling: Rows | None = None
        self._notices: list[Notice] = []
        self._warned = ""

    @property
    def description(self) -> str:
        """Return which terminal it is, and what its clock is taken for."""
        state = "connected" if self._is_open and not self._is_lost else "NOT CONNECTED"
        server = self._server or "MetaTrader 5"
        return f"{self.symbol} from {server} ({state}; server clock {self._clock.name})"

    # What the connector asks for

    def history(self, now_ms: int) -> Sequence[History]:
        """Return M15, H1 and H4 candles on UTC boundaries; none while the terminal is away."""
        if not self._has_opened() or not self._knows_weeks():
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
        return self._read(bookmark) is not None

    def start(self, bookmark: str | None, back: int, time_ms: int | None, now_ms: int) -> None:
        """Continue behind the bookmark, or behind a time in UTC; see `Source.start`.

        Without either begin with the H4 candle of now, so that no candle is built from a part of
        its ticks. What lies between is fetched from the terminal's own history.
        """
        place = self._read(bookmark or "")
        self._settling = None
        self._place = place if place is not None and not back else None
        self._begin_utc_ms = _whole_h4(now_ms) - 1 if time_ms is None else time_ms

    def poll(self, now_ms: int) -> Poll:
        """Return the ticks since the last one; never raises for a terminal that is away."""
        if not self._has_opened():
            pause, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE)
            return self._nothing(wait=pause)
        self._pause = _FIRST_PAUSE
        self._check_broker()
        if not self._knows_weeks():
            return self._nothing(wait=1.0)
        if self._place is None and not self._find_place(now_ms):
            return self._nothing(wait=_POLL)
        rows = self._new_rows(now_ms)
        if rows is None:
            return self._nothing(wait=1.0)
        if not len(rows):
            return self._nothing(wait=_POLL, watermark_ms=self._watermark(now_ms))
        times, certain = self._clock.to_utc(rows["time_msc"].astype(np.int64))
        if not certain:
            self._warn(f"the server's clock is {self._clock.name}: ticks wait until that is sure")
            return self._nothing(wait=_POLL)
        return self._hand_over(rows[:certain], times[:certain], now_ms)

    def close(self) -> None:
        """Let go of the terminal."""
        if self._is_open:
            self._terminal.shutdown()
            self._is_open = False

    # The terminal

    def _has_opened(self) -> bool:
        """Return whether the terminal is there, its line stands and the symbol is watched."""
        terminal = self._terminal
        if not self._is_open:
            self._is_open = bool(terminal.initialize(*self._path(), **self._login()))
            if not self._is_open:
                return self._lose("the terminal cannot be opened")
        info = terminal.terminal_info()
        if info is None:
            # Its process is gone: what was opened must be opened anew.
            terminal.shutdown()
            self._is_open = False
            return self._lose("the terminal is gone")
        if not info.connected:
            return self._lose("the terminal has no connection to its broker")
        if not terminal.symbol_select(self.symbol, True):
            if not self._is_symbol_lost:
                self._is_symbol_lost = True
                text = f"the terminal has no symbol {self.symbol}: {terminal.last_error()}"
                self._notices.append(Notice(ErrorCode.SYMBOL_UNAVAILABLE, text))
                log.error("%s", text)
            return False
        self._is_symbol_lost = False
        if self._is_lost or not self._server:
            self._greet()
        return True

    def _greet(self) -> None:
        account = self._terminal.account_info()
        server = str(account.server) if account is not None else ""
        is_other = bool(self._server) and server != self._server
        if self._is_auto and (is_other or self._clock.is_contradictory):
            # Another broker may have another clock; one that fitted none gets another chance.
            self._clock, self._has_seen_weeks = all_clocks(), False
        self._server = server
        if self._is_lost:
            self._is_lost = False
            # What came meanwhile is in the terminal's history, but perhaps not at once.
            self._settling = np.empty(0)
            text = f"the terminal is back on {server}"
            self._notices.append(Notice(ErrorCode.MT5_RECONNECTED, text))
            log.warning("%s", text)

    def _lose(self, what: str) -> bool:
        if not self._is_lost:
            self._is_lost = True
            code, text = self._terminal.last_error()
            sentence = f"{what} ({code}: {text})"
            self._notices.append(Notice(ErrorCode.MT5_DISCONNECTED, sentence))
            log.error("%s", sentence)
        self._witnesses.clear()
        self._newest_seen = None
        self._lag_ms = None
        return False

    def _check_broker(self) -> None:
        """Give up a place in another broker's time: what is known of it is its UTC."""
        place = self._place
        if place is not None and place.server != self._server:
            self._place, self._begin_utc_ms = None, place.utc_ms

    def _path(self) -> tuple[str, ...]:
        return (self._account.path,) if self._account.path else ()

    def _login(self) -> dict[str, Any]:
        account = self._account
        given = {"login": account.login, "password": account.password, "server": account.server}
        return {key: value for key, value in given.items() if value}

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

    def _find_place(self, now_ms: int) -> bool:
        """Turn the UTC time to begin behind into the server's; False while its clock is unknown."""
        if len(self._clock.candidates) > 1:
            self._look_at_newest(now_ms)
        begin_ms = self._begin_utc_ms if self._begin_utc_ms is not None else now_ms
        server_ms = self._clock.server_ms(begin_ms)
        if server_ms is None:
            self._warn(
                f"the server's clock is {self._clock.name}: waiting for a live tick to tell, "
                "or give --clock"
            )
            return False
        # Every tick of that millisecond counts as taken.
        self._place = _Place(server_ms, _ALL, begin_ms, self._server)
        return True

    def _knows_weeks(self) -> bool:
        """Look at the past year's weeks, once; return whether the terminal answered."""
        if self._has_seen_weeks or not self._is_auto:
            return True
        rates = self._rates(self._terminal.TIMEFRAME_H1, _WEEK_OF_HOURS)
        if rates is None:
            return False
        closes = weekly_closes(rates["time"].astype(np.int64) * 1000)
        self._clock = self._clock.with_weekly_closes(closes)
        self._has_seen_weeks = True
        log.info(
            "%s: %d weeks say that its clock is %s", self._server, len(closes), self._clock.name
        )
        return True

    def _new_rows(self, now_ms: int) -> Rows | None:
        """Return the ticks behind the place, oldest first; None where the terminal fails."""
        place = self._place
        rows = self._fetch(place.server_ms // 1000) if place is not None else None
        if rows is not None and self._settling is not None:
            rows = self._settled(rows)
        if rows is None or place is None:
            return None
        times = rows["time_msc"]
        if 0 < len(rows) < _MOST_TICKS:
            self._witness(int(times[-1]), now_ms)
        first = int(np.searchsorted(times, place.server_ms, side="left"))
        same = int(np.searchsorted(times, place.server_ms, side="right")) - first
        return rows[first + min(place.taken, same) :]

    def _fetch(self, second: int) -> Rows | None:
        rows: Rows | None = self._terminal.copy_ticks_from(
            self.symbol, second, _MOST_TICKS, self._terminal.COPY_TICKS_ALL
        )
        if rows is None:
            code, text = self._terminal.last_error()
            self._warn(f"the terminal gives no ticks ({code}: {text})")
            return None
        if len(rows) > 1 and np.any(np.diff(rows["time_msc"]) < 0):
            rows = rows[np.argsort(rows["time_msc"], kind="stable")]
        return rows

    def _settled(self, rows: Rows) -> Rows | None:
        """After an outage believe the terminal's history only once it gives the same twice."""
        before, self._settling = self._settling, rows
        if before is None or not len(before) or len(rows) < len(before):
            return None
        if not np.array_equal(rows["time_msc"][: len(before)], before["time_msc"]):
            return None
        self._settling = None
        return rows

    def _hand_over(self, rows: Rows, times: NDArray[np.int64], now_ms: int) -> Poll:
        last_ms = int(rows["time_msc"][-1])
        of_last = int((rows["time_msc"] == last_ms).sum())
        if self._place is not None and self._place.server_ms == last_ms:
            of_last += self._place.taken
        self._place = _Place(last_ms, of_last, int(times[-1]), self._server)
        quotes = Quotes(
            np.ascontiguousarray(times),
            np.ascontiguousarray(rows["bid"], dtype=np.float64),
            np.ascontiguousarray(rows["ask"], dtype=np.float64),
            _or_none(rows["last"]),
            _or_none(rows["volume_real"]),
        )
        is_full = len(rows) >= _MOST_TICKS // 2
        return self._nothing(
            wait=0.0 if is_full else _POLL,
            watermark_ms=None if is_full else self._watermark(now_ms),
            quotes=quotes,
        )

    def _nothing(
        self, *, wait: float, watermark_ms: int | None = None, quotes: Quotes | None = None
    ) -> Poll:
        notices, self._notices = tuple(self._notices), []
        return Poll(
            quotes if quotes is not None else Quotes.empty(),
            bookmark=self._write(),
            watermark_ms=watermark_ms,
            wait=wait,
            notices=notices,
        )

    # The clock

    def _look_at_newest(self, now_ms: int) -> None:
        """Look for a tick that has just arrived, before there is a place to read from."""
        tick = self._terminal.symbol_info_tick(self.symbol)
        if tick is not None:
            self._witness(int(tick.time_msc), now_ms)

    def _witness(self, newest_ms: int, now_ms: int) -> None:
        """Take a tick that was not there a moment ago as a sign of the server's time."""
        before, self._newest_seen = self._newest_seen, (newest_ms, now_ms)
        if before is None or newest_ms <= before[0] or now_ms - before[1] > _LONGEST_LOOK_MS:
            return
        offset = live_offset(newest_ms, now_ms)
        if offset is None:
            self._witnesses.clear()
            return
        lag_ms = now_ms + offset - newest_ms
        self._lag_ms = lag_ms if self._lag_ms is None else min(lag_ms, self._lag_ms)
        self._witnesses = [*self._witnesses[1 - _WITNESSES :], offset]
        if self._witnesses == [offset] * _WITNESSES and not self._clock.is_contradictory:
            self._believe(offset, now_ms)

    def _believe(self, offset: int, now_ms: int) -> None:
        """Leave only the clocks that show what live ticks show."""
        before = self._clock
        self._clock = before.with_live_offset(offset, now_ms)
        if self._clock.is_contradictory:
            text = (
                f"live ticks are {offset / 3_600_000:+g} h from UTC, but the server's clock was "
                f"{before.name}: ticks are held back; check this machine's clock or give --clock"
            )
            self._notices.append(Notice(ErrorCode.SYMBOL_UNAVAILABLE, text))
            log.critical("%s", text)
        elif self._clock != before:
            log.info("live ticks say that the server's clock is %s", self._clock.name)

    def _watermark(self, now_ms: int) -> int | None:
        """Return up to when all ticks have arrived; None before live ones were seen."""
        if self._lag_ms is None:
            return None
        return now_ms - _LATENESS_MS - max(self._lag_ms, 0)

    def _warn(self, sentence: str) -> None:
        if sentence != self._warned:
            log.warning("%s", sentence)
        self._warned = sentence

    # The bookmark

    def _write(self) -> str:
        place = self._place
        if place is None:
            return ""
        return json.dumps(
            {
                "mt5": self.symbol,
                "server": place.server,
                "server_ms": place.server_ms,
                "taken": place.taken,
                "utc_ms": place.utc_ms,
            }
        )

    def _read(self, bookmark: str) -> _Place | None:
        try:
            mark = json.loads(bookmark)
            if mark["mt5"] != self.symbol:
                return None
            return _Place(
                int(mark["server_ms"]),
                int(mark["taken"]),
                int(mark["utc_ms"]),
                str(mark["server"]),
            )
        except (ValueError, TypeError, KeyError):
            return None


_ALL: Final = 2**31


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
