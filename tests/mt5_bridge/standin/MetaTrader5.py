"""A stand-in for the `MetaTrader5` package, imported by the connector's child process.

It holds the interpreter's lock while it hangs, as the real package does, and its market goes on
whatever becomes of the process. What it does is said by `tests.mt5_bridge.standin.market`.
"""

import ctypes
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

from tests.mt5_bridge.standin.market import FOLDER, Market

_C = ctypes.PyDLL(None)
_METHODS = (
    "initialize",
    "login",
    "shutdown",
    "terminal_info",
    "account_info",
    "symbols_get",
    "symbol_select",
    "symbol_info_tick",
    "copy_ticks_from",
    "copy_rates_from_pos",
)
COPY_TICKS_ALL, TIMEFRAME_M15, TIMEFRAME_H1 = -1, 15, 16385

_market = Market.of_environment()
_terminal = _market.terminal()


def hold(seconds):
    """Sleep in C with the interpreter's lock held; None is for ever."""
    if seconds is None:
        while True:
            _C.sleep(1_000_000)
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        _C.usleep(min(int(left * 1e6) + 1, 900_000))


def last_error():
    return _terminal.last_error()


def _attach(path):
    """Talk to the terminal of a program, as the package does once a path is given."""
    global _market, _terminal
    folder = Path(os.environ[FOLDER]) / path
    if folder != _market.folder:
        _market = Market.of_folder(folder)
        _terminal = _market.terminal()


def _call(name, *arguments, **options):
    if name == "initialize" and arguments:
        _attach(arguments[0])
    trouble = _market.trouble(name)
    if "hold" in trouble:
        hold(trouble["hold"])
    if trouble.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    _market.bring_up_to_date(_terminal)
    if "error" in trouble:
        _terminal._error = tuple(trouble["error"])
        return None
    return getattr(_terminal, name)(*arguments, **options)


for _name in _METHODS:
    setattr(sys.modules[__name__], _name, partial(_call, _name))
