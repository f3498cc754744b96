"""Several symbols and terminals in one configuration: the settings of each symbol's connector.

A symbol's ticks are a stream of their own: with a name, a spool, numbers, and a process that
nothing but its own terminal can hold up.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from mt5_bridge.connector.config_file import ConfigError
from mt5_bridge.connector.options import DEFAULT_NAME, DEFAULT_SPOOL, DEFAULT_SYMBOL
from mt5_bridge.sources.terminal.installed import same_program

Settings: TypeAlias = Mapping[str, Any]
FindTerminal: TypeAlias = Callable[[int, str], str]
"""The program of the terminal in which an account is; empty where none is known for it."""

_MOST_STREAMS: Final = 50
_LONGEST_NAME: Final = 64
_OF_A_TERMINAL: Final = frozenset(
    {
        "path",
        "login",
        "server",
        "password",
        "portable",
        "clock",
        "poll_interval",
        "name",
        "symbol",
        "symbols",
        "terminal_symbol",
    }
)
_OWN: Final = ("login", "server", "password", "terminal_symbol")


@dataclass(frozen=True, slots=True)
class _Symbol:
    """A symbol as the server knows it, and as the broker spells it where that differs."""

    name: str
    at_broker: str = ""


def streams_of(settings: Settings, find_terminal: FindTerminal) -> list[dict[str, Any]]:
    """The settings of each stream, in their order; raises `ConfigError`.

    One symbol of one terminal keeps name and spool as they are given.
    """
    terminals = [_with_program(each, find_terminal) for each in _terminals(settings)]
    _refuse_shared_terminals(terminals)
    streams = [_stream(terminal, symbol) for terminal in terminals for symbol in _symbols(terminal)]
    if len(streams) == 1:
        return streams
    if not streams:
        raise ConfigError("terminal is a path, or at least one [[terminal]] table")
    if len(streams) > _MOST_STREAMS:
        raise ConfigError(f"{len(streams)} symbols are too many for one configuration: split it")
    if settings.get("source") == "replay":
        raise ConfigError("a replay is of one symbol: give --symbol")
    return [_named(stream, settings) for stream in _distinct(streams)]


def _terminals(settings: Settings) -> list[dict[str, Any]]:
    """The settings of each terminal, with what they all share."""
    tables = settings.get("terminal")
    if not isinstance(tables, list):
        return [dict(settings)]
    if settings.get("source") != "mt5":
        raise ConfigError('[[terminal]] is for source = "mt5"')
    for key in _OWN:
        if settings.get(key):
            raise ConfigError(f"with several [[terminal]], {key} belongs into one of them")
    shared = {key: value for key, value in settings.items() if key != "terminal"}
    return [_terminal(table, shared) for table in tables]


def _terminal(table: Any, shared: Settings) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigError("terminal is a path, or several [[terminal]] tables")
    own = {key.replace("-", "_"): value for key, value in table.items()}
    for key in own.keys() - _OF_A_TERMINAL:
        raise ConfigError(f"there is no setting {key!r} in [[terminal]]; see mt5_bridge/README.md")
    # Its own symbols replace what all share, in whichever form.
    is_own = {"symbol", "symbols"} & own.keys()
    usual = {key: value for key, value in shared.items() if not is_own or "symbol" not in key}
    path = str(own.pop("path", ""))
    return {**usual, **own, "terminal": path}


def _symbols(terminal: Settings) -> list[_Symbol]:
    several = terminal.get("symbols")
    if several is None:
        return [
            _Symbol(str(terminal.get("symbol") or ""), str(terminal.get("terminal_symbol", "")))
        ]
    if terminal.get("symbol") or terminal.get("terminal_symbol"):
        raise ConfigError(
            "give symbol or symbols, not both; a broker's spelling stands in symbols as "
            "EURUSD=EURUSD.r"
        )
    listed = several.split(",") if isinstance(several, str) else several
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise ConfigError('symbols is a list such as ["XAUUSD", "EURUSD=EURUSD.r"]')
    found = [_Symbol(*map(str.strip, each.partition("=")[::2])) for each in listed if each.strip()]
    if not found or not all(each.name for each in found):
        raise ConfigError('symbols is a list such as ["XAUUSD", "EURUSD=EURUSD.r"]')
    return found


def _with_program(terminal: dict[str, Any], find: FindTerminal) -> dict[str, Any]:
    """The terminal with its program, found by the account where only that is given."""
    if terminal.get("source") != "mt5" or terminal.get("terminal") or not terminal.get("login"):
        return terminal
    try:
        login = int(terminal["login"])
    except (TypeError, ValueError):
        return terminal  # refused with the other settings
    return {**terminal, "terminal": find(login, str(terminal.get("server", "")))}


def _refuse_shared_terminals(terminals: Iterable[Settings]) -> None:
    """A terminal has one account at a time: two connectors would take it from each other."""
    accounts: dict[str, tuple[str, str]] = {}
    for terminal in terminals:
        account = str(terminal.get("login") or ""), str(terminal.get("server") or "").lower()
        path = str(terminal.get("terminal") or "")
        other = accounts.setdefault(same_program(path) if path else "", account)
        if other != account:
            which = f"the terminal {path}" if path else "the one open terminal"
            raise ConfigError(
                f"accounts {other[0] or 'of no number'} and {account[0] or 'of no number'} would "
                f"share {which}: give each [[terminal]] a path of its own"
            )


def _stream(terminal: Settings, symbol: _Symbol) -> dict[str, Any]:
    stream = {key: value for key, value in terminal.items() if key != "symbols"}
    return {**stream, "symbol": symbol.name, "terminal_symbol": symbol.at_broker}


def _distinct(streams: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The streams with names of their own; raises `ConfigError` where two would share one."""
    taken: dict[str, str] = {}
    for stream in streams:
        base = str(stream.get("name") or DEFAULT_NAME)
        symbol = stream["symbol"] = stream["symbol"] or DEFAULT_SYMBOL
        stream["name"] = name = f"{base}-{re.sub(r'[^A-Za-z0-9._-]', '-', symbol)}"
        if len(name) > _LONGEST_NAME:
            raise ConfigError(f"{name} is longer than {_LONGEST_NAME} letters: give a shorter name")
        # Windows knows no difference between upper and lower case in the names of folders.
        if name.lower() in taken:
            raise ConfigError(
                f"two connectors would be called {name}: name each symbol once, and give each "
                f'[[terminal]] a name of its own, such as name = "{base}-2"'
            )
        taken[name.lower()] = name
    return streams


def _named(stream: dict[str, Any], settings: Settings) -> dict[str, Any]:
    spool = str(settings.get("spool") or DEFAULT_SPOOL)
    return {**stream, "spool": f"{spool}/{stream['name']}"}
