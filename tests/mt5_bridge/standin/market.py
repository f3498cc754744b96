"""The market behind the stand-in terminal: a function of the wall clock, the same for everyone.

A test writes into its folder what the terminal is to do; each call reads it. Several terminals are
several folders: a path given to `initialize` names one of them inside the first.
"""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

from mt5_bridge.files.broker_time import SERVER_EU
from tests.mt5_bridge.terminal import FakeTerminal, a_year_of_weeks

FOLDER = "STANDIN_TERMINAL"
PACKAGE = "tests.mt5_bridge.standin.MetaTrader5"


class Market:
    """Ticks every ``step_ms`` since ``begin_ms``, and the trouble that was asked for."""

    def __init__(self, folder, step_ms=50, begin_ms=None, symbol="XAUUSD", login=123):
        self.folder = Path(folder)
        self.step_ms = step_ms
        self.begin_ms = begin_ms or time.time_ns() // 1_000_000
        self.symbol = symbol
        self.login = login
        self._arrived = 0

    def write(self):
        """Let stand-ins that are started with this folder show this market."""
        self.folder.mkdir(exist_ok=True)
        told = [self.step_ms, self.begin_ms, self.symbol, self.login]
        (self.folder / "market.json").write_text(json.dumps(told))
        return self

    @classmethod
    def of_environment(cls):
        return cls.of_folder(Path(os.environ[FOLDER]))

    @classmethod
    def of_folder(cls, folder):
        return cls(folder, *json.loads((folder / "market.json").read_text()))

    def ask_for(self, method, **trouble):
        """Let the next call of ``method`` hold the lock, die, or fail.

        ``hold`` are seconds or None, ``die`` true, ``error`` a code and a text; ``lasts`` true for
        more than the next call.
        """
        part = self.folder / "trouble.part"
        part.write_text(json.dumps({"method": method, **trouble}))
        part.replace(self.folder / "trouble.json")

    def calm(self):
        (self.folder / "trouble.json").unlink(missing_ok=True)

    @property
    def is_taken(self):
        """Whether the trouble that was asked for has begun."""
        return not (self.folder / "trouble.json").exists()

    def trouble(self, method):
        path = self.folder / "trouble.json"
        with suppress(OSError, ValueError):
            found = json.loads(path.read_text())
            if found["method"] in (method, "any"):
                if not found.get("lasts"):
                    path.unlink()
                return found
        return {}

    def ticks(self, until_ms):
        """All ticks up to a time, as ``(utc_ms, bid, ask)``."""
        count = max((until_ms - self.begin_ms) // self.step_ms, 0)
        return [self._tick(place) for place in range(count)]

    def terminal(self):
        terminal = FakeTerminal(SERVER_EU, symbol=self.symbol)
        terminal.login_number = self.login
        terminal.put_rates(terminal.TIMEFRAME_H1, a_year_of_weeks(self.begin_ms))
        return terminal

    def bring_up_to_date(self, terminal):
        """Put the ticks into the terminal that have come since the last call."""
        count = max((time.time_ns() // 1_000_000 - self.begin_ms) // self.step_ms, 0)
        new = [self._tick(place) for place in range(self._arrived, count)]
        if new:
            terminal.arrive(new)
            self._arrived = count

    def _tick(self, place):
        bid = 2000 + place % 500 / 100
        return (self.begin_ms + place * self.step_ms, bid, round(bid + 0.3, 2))
