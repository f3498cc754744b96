"""A stand-in for the `MetaTrader5` package and its terminal: signatures, types, failures."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

NEW_YORK = ZoneInfo("America/New_York")
HOUR = 3_600_000

TICK = np.dtype(
    [
        ("time", "<i8"),
        ("bid", "<f8"),
        ("ask", "<f8"),
        ("last", "<f8"),
        ("volume", "<u8"),
        ("time_msc", "<i8"),
        ("flags", "<u4"),
        ("volume_real", "<f8"),
    ]
)
RATE = np.dtype(
    [
        ("time", "<i8"),
        ("open", "<f8"),
        ("high", "<f8"),
        ("low", "<f8"),
        ("close", "<f8"),
        ("tick_volume", "<u8"),
        ("spread", "<i4"),
        ("real_volume", "<u8"),
    ]
)


def a_year_of_weeks(until_ms):
    """Return the hours of 56 weeks of gold: Sunday 18:00 to Friday 17:00 in New York."""
    opens = datetime.fromtimestamp(until_ms / 1000, UTC).astimezone(NEW_YORK).replace(tzinfo=None)
    opens -= timedelta(days=opens.weekday() + 1 + 7 * 56)
    rows = []
    for week in range(56):
        start = (opens + timedelta(days=7 * week)).replace(
            hour=18, minute=0, second=0, microsecond=0
        )
        begin = int(start.replace(tzinfo=NEW_YORK).timestamp() * 1000)
        rows += [
            (begin + hour * HOUR, 2000.0, 2001.0, 1999.0, 2000.5, 60)
            for hour in range(119)
            if hour % 24 != 23
        ]
    return rows


class TerminalInfo(NamedTuple):
    connected: bool
    name: str = "MetaTrader 5"
    build: int = 4755
    ping_last: int = 23_400
    trade_allowed: bool = False


class AccountInfo(NamedTuple):
    login: int
    server: str


class SymbolInfo(NamedTuple):
    name: str
    select: bool


class Tick(NamedTuple):
    time: int
    bid: float
    ask: float
    last: float
    volume: int
    time_msc: int
    flags: int
    volume_real: float


class FakeTerminal:
    """One symbol at a broker whose server shows ``clock``; time is what the test says.

    `arrive` puts ticks there, at their UTC times, between earlier ones where they are late. Those
    of a gap are `missing` until the terminal has fetched them. `failures` are errors by function.
    `accounts` are the logins that the broker knows: password, server and clock. `is_running`,
    `is_connected`, `has_symbol`, `knows_account`, `gives_ticks` and `gives_rates` are what a test
    turns off.
    """

    COPY_TICKS_ALL = -1
    TIMEFRAME_M15 = 15
    TIMEFRAME_H1 = 16385

    def __init__(self, clock, *, symbol="XAUUSD", server="Broker-Demo"):
        self.clock = clock
        self.symbol = symbol
        self.server = server
        self.is_running = True
        self.is_connected = True
        self.has_symbol = True
        self.knows_account = True
        self.gives_ticks = True
        self.gives_rates = True
        self.login_number = 123
        self.accounts = {}
        self.failures = {}
        self.is_logged_in = True
        self.logins = []
        self.opened = 0
        self.shut_down = 0
        self.missing = (0, 0)
        self.is_partial = False
        self.elsewhere = {}
        self._is_open = False
        self._selected = False
        self._error = (1, "Success")
        self._ticks = np.empty(0, TICK)
        self._rates = {}

    # What the test does

    def arrive(self, rows):
        """Let ticks ``(utc_ms, bid, ask)`` arrive."""
        new = np.zeros(len(rows), TICK)
        for place, (utc_ms, bid, ask) in enumerate(rows):
            server_ms = utc_ms + self.clock.offset_at(utc_ms)
            new[place] = (server_ms // 1000, bid, ask, 0.0, 0, server_ms, 134, 0.0)
        together = np.concatenate((self._ticks, new))
        self._ticks = together[np.argsort(together["time_msc"], kind="stable")]

    def miss(self, from_utc_ms, to_utc_ms):
        """Let the history have no ticks of these UTC times, the last one excluded."""
        offset = self.clock.offset_at(from_utc_ms)
        self.missing = (from_utc_ms + offset, to_utc_ms + offset)

    def replay(self):
        """Let the history be synchronised: flags and volumes come out otherwise than live."""
        self._ticks["flags"] = 6
        self._ticks["volume"] = 1

    def change_account(self, login, server, clock):
        """Let the user log in elsewhere, with ticks of its own."""
        self.login_number, self.server, self.clock = login, server, clock
        self.is_logged_in = True
        self._ticks = np.empty(0, TICK)

    def put_rates(self, timeframe, rows):
        """Let the terminal hold closed candles ``(utc_ms, open, high, low, close, volume)``."""
        rates = np.zeros(len(rows), RATE)
        for place, (utc_ms, *prices, volume) in enumerate(rows):
            server_ms = utc_ms + self.clock.offset_at(utc_ms)
            rates[place] = (server_ms // 1000, *prices, volume, 20, 0)
        self._rates[timeframe] = rates

    # What the package offers

    def initialize(
        self, path=None, *, login=0, password="", server="", timeout=60000, portable=False
    ):
        self.opened += 1
        self.is_portable = portable
        if not self.is_running:
            return self._fail(-10003, "IPC initialize failed, Process create failed")
        if not self.knows_account:
            return self._fail(-6, "Terminal: Authorization failed")
        if login:
            self.logins.append((login, password, server))
            known = self.accounts.get(login)
            if known is None or known[0] != password:
                return self._fail(-6, "Terminal: Authorization failed")
            self.change_account(login, *known[1:])
        self._is_open = True
        return self._succeed(True)

    def shutdown(self):
        self.shut_down += 1
        self._is_open = False
        self._selected = False
        self._succeed(None)

    def last_error(self):
        return self._error

    def terminal_info(self):
        if not self._answers("terminal_info"):
            return None
        return self._succeed(TerminalInfo(self.is_connected))

    def account_info(self):
        if not self._answers("account_info"):
            return None
        if not self.is_logged_in:
            self._fail(-4, "Terminal: Not found")
            return None
        return self._succeed(AccountInfo(self.login_number, self.server))

    def symbols_get(self, group="*"):
        if not self._answers("symbols_get"):
            return None
        names = (self.symbol, *self.elsewhere, "NOT-WATCHED")
        return self._succeed(tuple(SymbolInfo(name, name != "NOT-WATCHED") for name in names))

    def symbol_select(self, symbol, enable=True, /):
        if not self._answers("symbol_select"):
            return False
        if symbol != self.symbol or not self.has_symbol:
            return self._fail(-1, "Terminal: Call failed")
        self._selected = enable
        return self._succeed(True)

    def symbol_info_tick(self, symbol, /):
        if not self._answers("symbol_info_tick"):
            return None
        if not self._selected:
            self._fail(-4, "Terminal: Not found")
            return None
        if symbol in self.elsewhere:
            server_ms = self.elsewhere[symbol] + self.clock.offset_at(self.elsewhere[symbol])
            return self._succeed(Tick(server_ms // 1000, 1.0, 1.1, 0.0, 0, server_ms, 6, 0.0))
        if symbol != self.symbol or not len(self._ticks):
            self._fail(-4, "Terminal: Not found")
            return None
        return self._succeed(Tick(*self._ticks[-1].tolist()))

    def copy_ticks_from(self, symbol, date_from, count, flags, /):
        if not self._answers("copy_ticks_from"):
            return None
        if symbol != self.symbol or not self._selected or isinstance(date_from, float):
            self._fail(-2, "Invalid params")
            return None
        if not self.gives_ticks:
            self._fail(-10005, "IPC timeout")
            return None
        assert isinstance(count, int)
        assert flags == self.COPY_TICKS_ALL
        second = int(date_from.timestamp()) if isinstance(date_from, datetime) else date_from
        times = self._ticks["time_msc"]
        known = self._ticks[(times < self.missing[0]) | (times >= self.missing[1])]
        first = int(np.searchsorted(known["time_msc"], second * 1000))
        rows = self._succeed(known[first : first + count].copy())
        if self.is_partial:
            self._fail(-10005, "IPC timeout")
        return rows

    def copy_rates_from_pos(self, symbol, timeframe, start_pos, count, /):
        if not self._answers("copy_rates_from_pos"):
            return None
        rates = self._rates.get(timeframe, np.empty(0, RATE))
        if count > 100_000 or not self.gives_rates:
            self._fail(-2, "Invalid params")
            return None
        # Position 0 is the forming candle; what is kept here are closed ones.
        end = len(rates) - (start_pos - 1)
        return self._succeed(rates[max(end - count, 0) : end].copy())

    def _answers(self, name):
        if self._is_open and self.is_running:
            if name in self.failures:
                return self._fail(*self.failures[name])
            return True
        self._fail(-10004, "No IPC connection")
        return False

    def _fail(self, code, text):
        self._error = (code, text)
        return False

    def _succeed(self, value):
        self._error = (1, "Success")
        return value
