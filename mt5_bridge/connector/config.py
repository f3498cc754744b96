"""The connector's settings: command line, environment and `mt5_bridge.toml`, in this order."""

import argparse
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from mt5_bridge import __version__
from mt5_bridge.connector.credentials import is_loopback
from mt5_bridge.files.tick_files import symbol_of

CONFIG_FILE: Final = "mt5_bridge.toml"
DEFAULT_NAME: Final = "mt5-primary"
DEFAULT_SPOOL: Final = Path("var/mt5_bridge")
_SYMBOL = "XAUUSD"


class ConfigError(ValueError):
    """A setting is missing or wrong: one sentence that says what to do."""


class SourceKind(StrEnum):
    """Where ticks come from."""

    MT5 = "mt5"
    REPLAY = "replay"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Config:
    """The settings, checked.

    `speed` None is as quickly as it goes. `clock` is how an MT5 server's time is understood: "auto"
    or the name of a clock. The server is known by `cafile` or the text `certificate`, the token's
    address by `token_cafile`. `from_ms` is where the simulation begins, None three weeks ago.
    """

    source: SourceKind
    url: str
    symbol: str
    name: str
    spool: Path
    token_url: str = ""
    api_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    cafile: Path | None = None
    certificate: str = ""
    token_cafile: Path | None = None
    file: Path | None = None
    history: Path | None = None
    speed: float | None = None
    source_timezone: str = "utc"
    digits: int | None = None
    default_spread: float | None = None
    exit_when_done: bool = False
    seed: int = 1
    from_ms: int | None = None
    clock: str = "auto"
    terminal: str = ""
    portable: bool = False
    terminal_symbol: str = ""
    poll_interval: float = 0.1
    login: int | None = None
    password: str = field(default="", repr=False)
    server: str = ""


def read_config(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration; raises `ConfigError`.

    An option of the command line wins over the environment variable `MT5_BRIDGE_<OPTION>`, and that
    one over the file, which has the options' names as keys.
    """
    given = {
        key: value
        for key, value in vars(_parser().parse_args(arguments)).items()
        if value is not None
    }
    from_environment = {
        key.removeprefix("MT5_BRIDGE_").lower(): value
        for key, value in environment.items()
        if key.startswith("MT5_BRIDGE_") and value
    }
    file = given.pop("config", None)
    settings = {**_read_file(file), **from_environment, **given}
    known = {each.name for each in fields(Config)} | {"from"}
    for key in sorted(settings.keys() - known - from_environment.keys()):
        raise ConfigError(f"there is no setting {key!r}; see mt5_bridge/README.md")
    return _checked(settings)


def spool_of(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Path:
    """The spool directory alone, for commands that need nothing else."""
    parser = _Parser(prog="python -m mt5_bridge status", add_help=True)
    parser.add_argument("--spool")
    parser.add_argument("--config")
    given = parser.parse_args(arguments)
    configured = environment.get("MT5_BRIDGE_SPOOL") or _read_file(given.config).get("spool")
    return Path(given.spool or configured or DEFAULT_SPOOL).expanduser()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see python -m mt5_bridge --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m mt5_bridge",
        description="Sends ticks to the analysis server. `python -m mt5_bridge status` shows how "
        "a running connector does.",
    )
    # For argparse `--source-timezone -05:00` is two options, unless that is a negative number.
    parser._negative_number_matcher = re.compile(r"-\d+(?::?\d+)?|-\d*\.\d+")
    add = parser.add_argument
    add("--version", action="version", version=f"mt5_bridge {__version__}")
    add("--source", help="mt5, replay (a file of ticks) or simulated (made-up prices)")
    add("--url", help="the server, wss://HOST:8765/ws/v1/ticks")
    add("--token-url", help="where the API key is changed for a token")
    add("--api-key", help="better given as MT5_BRIDGE_API_KEY: command lines can be read")
    add("--token", help="a token instead of token URL and API key")
    add("--cafile", help="trust exactly these certificates instead of the system's authorities")
    add("--certificate", help="the text of such a certificate, as connector_config prints it")
    add("--token-cafile", help="trust exactly these for the token URL")
    add("--name", help=f"the connector's name (default {DEFAULT_NAME})")
    add("--symbol", help="the symbol (default: what the file's name begins with, or XAUUSD)")
    add("--spool", help=f"directory for what is not sent yet (default {DEFAULT_SPOOL})")
    add("--config", help=f"a file with these settings (default {CONFIG_FILE} where there is one)")
    add("--history", help="candles to send first: a SYMBOL_TIMEFRAME.csv[.gz] or a directory")
    add("--file", help="replay: the file of ticks or M1 candles")
    add("--speed", help="replay, simulated: times real time, or max")
    add("--source-timezone", help="clock of the files' times: utc, server-eu, server-us, +02:00 …")
    add("--digits", help="replay of candles: decimals of a point")
    add("--default-spread", help="replay of candles: spread in price where there is none")
    add(
        "--exit-when-done",
        action="store_const",
        const=True,
        help="replay: end once everything is acknowledged",
    )
    add("--seed", help="simulated: which made-up market")
    add("--from", help="simulated: where to begin, such as 2026-01-05")
    add("--clock", help="mt5: the server's clock, auto or as for --source-timezone")
    add("--terminal", help="mt5: path of terminal64.exe")
    add("--portable", action="store_const", const=True, help="mt5: start it in portable mode")
    add("--terminal-symbol", help="mt5: the broker's spelling, such as XAUUSD.r (default --symbol)")
    add("--poll-interval", help="mt5: seconds between two looks at the terminal (default 0.1)")
    add("--login", help="mt5: account number, where the terminal is not logged in")
    add("--server", help="mt5: the broker's server; the password is MT5_BRIDGE_PASSWORD")
    return parser


def _read_file(named: str | None) -> dict[str, Any]:
    path = Path(named or CONFIG_FILE)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if named is None:
            return {}
        raise ConfigError(f"there is no file {path}; check --config") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    return {key.replace("-", "_"): value for key, value in found.items()}


def _checked(settings: Mapping[str, Any]) -> Config:
    try:
        source = SourceKind(settings.get("source", ""))
    except ValueError:
        raise ConfigError("give --source mt5, replay or simulated") from None
    file = _path(settings, "file")
    if source is SourceKind.REPLAY and file is None:
        raise ConfigError("a replay needs a file of ticks; give it with --file")
    token_url, api_key = str(settings.get("token_url", "")), str(settings.get("api_key", ""))
    token = str(settings.get("token", ""))
    if token_url:
        _check_token_url(token_url)
    if not token and not (token_url and api_key):
        raise ConfigError("give --token-url and an API key (MT5_BRIDGE_API_KEY), or --token")
    name = str(settings.get("name", DEFAULT_NAME))
    if source is SourceKind.SIMULATED:
        # Wherever the connector is shown, it says that its prices are made up.
        name = f"{name.removesuffix('-simulated')}-simulated"
    return Config(
        source=source,
        url=_url(str(settings.get("url", ""))),
        symbol=str(settings.get("symbol") or (file and symbol_of(file)) or _SYMBOL),
        name=name,
        spool=_path(settings, "spool") or DEFAULT_SPOOL,
        token_url=token_url,
        api_key=api_key,
        token=token,
        cafile=_path(settings, "cafile"),
        certificate=str(settings.get("certificate", "")),
        token_cafile=_path(settings, "token_cafile"),
        file=file,
        history=_path(settings, "history"),
        speed=_speed(settings, source),
        source_timezone=str(settings.get("source_timezone", "utc")),
        digits=_integer(settings, "digits"),
        default_spread=_number(settings, "default_spread"),
        exit_when_done=_flag(settings, "exit_when_done"),
        seed=_integer(settings, "seed") or 1,
        from_ms=_moment(settings, "from"),
        clock=str(settings.get("clock", "auto")),
        terminal=str(settings.get("terminal", "")),
        portable=_flag(settings, "portable"),
        terminal_symbol=str(settings.get("terminal_symbol", "")),
        poll_interval=_poll_interval(settings),
        login=_integer(settings, "login"),
        password=str(settings.get("password", "")),
        server=str(settings.get("server", "")),
    )


def _url(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("ws", "wss"):
        raise ConfigError("give the server with --url wss://HOST:8765/ws/v1/ticks")
    if parts.scheme == "ws" and not is_loopback(url):
        raise ConfigError(f"{url} is not encrypted; give a wss:// address")
    return url


def _check_token_url(url: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise ConfigError(f"{url} is no address; give --token-url https://HOST/…")
    if parts.scheme == "http" and not is_loopback(url):
        raise ConfigError(
            f"{url} is not encrypted and would show the API key; give an https:// address"
        )


def _speed(settings: Mapping[str, Any], source: SourceKind) -> float | None:
    usual = 60.0 if source is SourceKind.SIMULATED else None
    if "speed" not in settings:
        return usual
    if settings["speed"] == "max":
        return None
    speed = _number(settings, "speed")
    if speed is None or not 0 < speed < float("inf"):
        raise ConfigError(f"--speed {settings['speed']} is neither a number above 0 nor max")
    return speed


def _poll_interval(settings: Mapping[str, Any]) -> float:
    seconds = _number(settings, "poll_interval")
    if seconds is None:
        return 0.1
    # Of looks that are further apart nobody could say when a tick came.
    if not 0.01 <= seconds <= 2:
        raise ConfigError(f"--poll-interval {seconds:g} is not between 0.01 and 2 seconds")
    return seconds


def _flag(settings: Mapping[str, Any], key: str) -> bool:
    return str(settings.get(key, "")).lower() in ("true", "1", "yes")


def _path(settings: Mapping[str, Any], key: str) -> Path | None:
    return Path(str(settings[key])).expanduser() if settings.get(key) else None


def _number(settings: Mapping[str, Any], key: str) -> float | None:
    try:
        return float(settings[key]) if key in settings else None
    except (TypeError, ValueError):
        raise ConfigError(f"--{key.replace('_', '-')} {settings[key]} is not a number") from None


def _integer(settings: Mapping[str, Any], key: str) -> int | None:
    try:
        return int(settings[key]) if key in settings else None
    except (TypeError, ValueError):
        raise ConfigError(
            f"--{key.replace('_', '-')} {settings[key]} is not a whole number"
        ) from None


def _moment(settings: Mapping[str, Any], key: str) -> int | None:
    if key not in settings:
        return None
    try:
        moment = datetime.fromisoformat(str(settings[key]))
    except ValueError:
        raise ConfigError(f"--{key} {settings[key]} is not a date such as 2026-01-05") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
