"""A stand-in for the `MetaTrader5` package and its terminal: signatures, types, failures."""

from datetime import datetime
from typing import NamedTuple

import numpy as np

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


class TerminalInfo(NamedTuple):
    connected: bool
    name: str = "MetaTrader 5"


class AccountInfo(NamedTuple):
    login: int
    server: str


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

    `arrive` puts ticks there, at their UTC times. `is_running`, `is_connected`, `has_symbol` and
    `knows_account` are what a test turns off.
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
        self.opened = 0
        self.shut_down = 0
        self.hidden = 0
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
        self._ticks = np.concatenate((self._ticks, new))

    def put_rates(self, timeframe, rows):
        """Let the terminal hold closed candles ``(utc_ms, open, high, low, close, volume)``."""
        rates = np.zeros(len(rows), RATE)
        for place, (utc_ms, *prices, volume) in enumerate(rows):
            server_ms = utc_ms + self.clock.offset_at(utc_ms)
            rates[place] = (server_ms // 1000, *prices, volume, 20, 0)
        self._rates[timeframe] = rates

    # What the package offers

    def initialize(self, path=None, *, login=0, password="", server="", timeout=60000):
        self.opened += 1
        if not self.is_running:
            return self._fail(-10003, "IPC initialize failed, Process create failed")
        if not self.knows_account:
            return self._fail(-6, "Terminal: Authorization failed")
        self._is_open = True
        return self._succeed(True)

    def shutdown(self):
        self.shut_down += 1
        self._is_open = False
        self._selected = False

    def last_error(self):
        return self._error

    def terminal_info(self):
        if not self._answers():
            return None
        return self._succeed(TerminalInfo(self.is_connected))

    def account_info(self):
        if not self._answers():
            return None
        return self._succeed(AccountInfo(123, self.server))

    def symbol_select(self, symbol, enable=True, /):
        if not self._answers():
            return False
        if symbol != self.symbol or not self.has_symbol:
            return self._fail(-1, "Terminal: Call failed")
        self._selected = enable
        return self._succeed(True)

    def symbol_info_tick(self, symbol, /):
        if not self._answers() or not self._selected or not len(self._ticks):
            self._fail(-4, "Terminal: Not found")
            return None
        return self._succeed(Tick(*self._ticks[-1].tolist()))

    def copy_ticks_from(self, symbol, date_from, count, flags, /):
        if not self._answers():
            return None
        if symbol != self.symbol or not self._selected or isinstance(date_from, float):
            self._fail(-2, "Invalid params")
            return None
        assert isinstance(count, int)
        assert flags == self.COPY_TICKS_ALL
        second = int(date_from.timestamp()) if isinstance(date_from, datetime) else date_from
        known = self._ticks[: len(self._ticks) - self.hidden] if self.hidden else self._ticks
        first = int(np.searchsorted(known["time_msc"], second * 1000))
        return self._succeed(known[first : first + count].copy())

    def copy_rates_from_pos(self, symbol, timeframe, start_pos, count, /):
        if not self._answers():
            return None
        rates = self._rates.get(timeframe, np.empty(0, RATE))
        if count > 100_000:
            self._fail(-2, "Invalid params")
            return None
        # Position 0 is the forming candle; what is kept here are closed ones.
        end = len(rates) - (start_pos - 1)
        return self._succeed(rates[max(end - count, 0) : end].copy())

    def _answers(self):
        if self._is_open and self.is_running:
            return True
        self._fail(-10004, "No IPC connection")
        return False

    def _fail(self, code, text):
        self._error = (code, text)
        return False

    def _succeed(self, value):
        self._error = (1, "Success")
        return value
