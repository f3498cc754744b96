"""Calls of the `MetaTrader5` package as messages between two processes: pure values.

Only what the connector uses of the package can be asked for, and an answer holds only what it uses
of the result: the package's own objects do not leave the process that talks to the terminal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

SUCCESS: Final = 1
"""`last_error`'s code where nothing went wrong. Any other with a result: the result is partial."""
PIPE_FAILURES: Final = range(-10005, -9999)
"""Codes of the package itself: the pipe to the terminal failed, rather than what was asked for."""
TICKS_ALL: Final = -1
"""`COPY_TICKS_ALL` of the package."""
TIMEFRAME_M15, TIMEFRAME_H1 = 15, 16385
"""The package's numbers of these timeframes."""


class TerminalLostError(Exception):
    """The terminal did not answer: one sentence. `is_process_gone`: it must be opened anew."""

    def __init__(self, sentence: str, *, is_process_gone: bool) -> None:
        super().__init__(sentence)
        self.is_process_gone = is_process_gone


class Method(StrEnum):
    """The package's functions that are called."""

    INITIALIZE = "initialize"
    SHUTDOWN = "shutdown"
    TERMINAL_INFO = "terminal_info"
    ACCOUNT_INFO = "account_info"
    SYMBOLS_GET = "symbols_get"
    SYMBOL_SELECT = "symbol_select"
    SYMBOL_INFO_TICK = "symbol_info_tick"
    COPY_TICKS_FROM = "copy_ticks_from"
    COPY_RATES_FROM_POS = "copy_rates_from_pos"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `options` may hold a password and are not shown."""

    number: int
    method: Method
    arguments: tuple[str | int | bool, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gave. `error` is the package's `last_error` right behind it.

    `failure` is a sentence where the call raised an exception instead; then there is no value.
    """

    number: int
    value: Any = None
    error: tuple[int, str] = (1, "Success")
    failure: str = ""


class TerminalInfo(NamedTuple):
    """The terminal's state; `ping_last` in microseconds. `trade_allowed` is AutoTrading."""

    connected: bool
    name: str = ""
    path: str = ""
    build: int = 0
    ping_last: int = 0
    trade_allowed: bool = False


class AccountInfo(NamedTuple):
    login: int
    server: str


class SymbolInfo(NamedTuple):
    name: str
    select: bool


class NewestTick(NamedTuple):
    time_msc: int


def perform(package: Any, call: Call) -> Answer:
    """Do the call with the package; a result of it becomes plain values."""
    try:
        found = getattr(package, call.method.value)(*call.arguments, **call.options)
        code, text = package.last_error()
        convert = _CONVERSIONS.get(call.method)
        value = found if found is None or convert is None else convert(found)
    except Exception as error:
        # Whatever the package raises is the terminal's trouble, and no reason for either to end.
        return Answer(call.number, failure=f"{call.method.value} failed: {error}")
    return Answer(call.number, value, (int(code), str(text)))


def _terminal_info(found: Any) -> TerminalInfo:
    return TerminalInfo(
        connected=bool(found.connected),
        **{
            name: type(default)(getattr(found, name, default))
            for name, default in TerminalInfo._field_defaults.items()
        },
    )


def _account_info(found: Any) -> AccountInfo:
    return AccountInfo(int(found.login), str(found.server))


def _symbols(found: Any) -> tuple[SymbolInfo, ...]:
    return tuple(SymbolInfo(str(each.name), bool(each.select)) for each in found)


def _newest_tick(found: Any) -> NewestTick:
    return NewestTick(int(found.time_msc))


_CONVERSIONS: Final[Mapping[Method, Callable[[Any], Any]]] = {
    Method.INITIALIZE: bool,
    Method.TERMINAL_INFO: _terminal_info,
    Method.ACCOUNT_INFO: _account_info,
    Method.SYMBOLS_GET: _symbols,
    Method.SYMBOL_SELECT: bool,
    Method.SYMBOL_INFO_TICK: _newest_tick,
}
