"""The connector's settings: command line, environment and `mt5_bridge.toml`, in this order."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

from mt5_bridge.connector import key_store
from mt5_bridge.connector.config_file import ConfigError, exposed_secrets, read_config_file
from mt5_bridge.connector.config_values import (
    check_token_url,
    flag,
    integer,
    moment,
    number,
    path,
    poll_interval,
    server_url,
    speed,
)
from mt5_bridge.connector.options import (
    DEFAULT_NAME,
    DEFAULT_SPOOL,
    DEFAULT_SYMBOL,
    OptionParser,
    option_parser,
)
from mt5_bridge.connector.streams import streams_of
from mt5_bridge.files.tick_files import symbol_of
from mt5_bridge.sources.terminal.installed import (
    InstalledTerminal,
    installed_terminals,
    terminal_of,
)

_KEYRING: Final = "keyring"


class SourceKind(StrEnum):
    """Where ticks come from."""

    MT5 = "mt5"
    REPLAY = "replay"
    SIMULATED = "simulated"


_USUAL_SPEED: Final = {SourceKind.SIMULATED: 60.0}


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
    key_from: str = ""
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


SETTINGS: Final = frozenset(
    {each.name.removesuffix("_ms") for each in fields(Config)} | {"symbols"}
)
"""The names of all settings."""


@dataclass(frozen=True, slots=True)
class ConnectorSetup:
    """What to run: a connector for each symbol, and where they are kept together.

    `warning` is a sentence on how the settings are kept, empty where that is well.
    """

    streams: tuple[Config, ...]
    spool: Path
    warning: str = ""


def read_setup(
    arguments: Sequence[str], environment: Mapping[str, str] = os.environ
) -> ConnectorSetup:
    """The whole configuration; raises `ConfigError`.

    An option of the command line wins over the environment variable `MT5_BRIDGE_<OPTION>`, and that
    one over the file, which has the options' names as keys.
    """
    given = {
        key: value
        for key, value in vars(option_parser().parse_args(arguments)).items()
        if value is not None
    }
    from_environment = {
        key.removeprefix("MT5_BRIDGE_").lower(): value
        for key, value in environment.items()
        if key.startswith("MT5_BRIDGE_") and value
    }
    named = given.pop("config", None)
    in_file = read_config_file(named)
    if isinstance(in_file.get("terminal"), list) and "terminal" in {**from_environment, **given}:
        raise ConfigError("the file has [[terminal]] tables: change the path there")
    settings: Mapping[str, Any] = {**in_file, **from_environment, **given}
    for key in sorted(settings.keys() - SETTINGS - from_environment.keys()):
        raise ConfigError(f"there is no setting {key!r}; see mt5_bridge/README.md")
    settings = _with_stored_key(settings)
    installed = installed_terminals(environment.get("APPDATA", ""))
    streams = streams_of(settings, partial(_program_of, installed))
    return ConnectorSetup(
        streams=tuple(_checked(_with_stored_password(each)) for each in streams),
        spool=path(settings, "spool") or Path(DEFAULT_SPOOL),
        warning=exposed_secrets(named),
    )


def spool_of(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Path:
    """The spool directory alone, for commands that need nothing else."""
    parser = OptionParser(prog="python -m mt5_bridge status", add_help=True)
    parser.add_argument("--spool")
    parser.add_argument("--config")
    return _spool(parser.parse_args(arguments), environment)


def log_directory(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Path:
    """Where to say that the settings are wrong: in the spool that they name, if they do."""
    try:
        given, _ = option_parser().parse_known_args(arguments)
        return _spool(given, environment)
    except ConfigError:
        return Path(DEFAULT_SPOOL)


def _spool(given: argparse.Namespace, environment: Mapping[str, str]) -> Path:
    configured = environment.get("MT5_BRIDGE_SPOOL") or read_config_file(given.config).get("spool")
    return Path(given.spool or configured or DEFAULT_SPOOL).expanduser()


def _with_stored_key(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings with the API key from the keyring, where that is wanted and none is given."""
    place = settings.get("key_from", "")
    if place not in ("", _KEYRING):
        raise ConfigError(f"--key-from {place} is not {_KEYRING}")
    if not place or settings.get("api_key") or settings.get("token"):
        return settings
    name = str(settings.get("name", DEFAULT_NAME))
    key = _stored(name)
    if not key:
        raise ConfigError(f"the keyring holds no key of {name}: put it there with store-key")
    return {**settings, "api_key": key}


def _with_stored_password(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings with the account's password, where it is in the keyring."""
    login = integer(settings, "login")
    if settings.get("key_from") != _KEYRING or login is None or settings.get("password"):
        return settings
    owner = key_store.account_owner(login, str(settings.get("server", "")))
    return {**settings, "password": _stored(owner) or ""}


def _stored(owner: str) -> str | None:
    try:
        return key_store.find_secret(owner)
    except key_store.KeyStoreError as error:
        raise ConfigError(str(error)) from None


def _program_of(installed: Sequence[InstalledTerminal], login: int, server: str) -> str:
    """The terminal of an account; empty where that is left to the package."""
    found = terminal_of(login, server, installed)
    # Of one terminal the package needs no path, and it may log in there for the first time.
    return found.path if found is not None and len(installed) > 1 else ""


def _checked(settings: Mapping[str, Any]) -> Config:
    try:
        source = SourceKind(settings.get("source", ""))
    except ValueError:
        raise ConfigError("give --source mt5, replay or simulated") from None
    file = path(settings, "file")
    if source is SourceKind.REPLAY and file is None:
        raise ConfigError("a replay needs a file of ticks; give it with --file")
    token_url, api_key = str(settings.get("token_url", "")), str(settings.get("api_key", ""))
    token = str(settings.get("token", ""))
    if token_url:
        check_token_url(token_url)
    if not token and not (token_url and api_key):
        raise ConfigError(
            "give --token-url and an API key (store-key, or MT5_BRIDGE_API_KEY), or --token"
        )
    name = str(settings.get("name", DEFAULT_NAME))
    if source is SourceKind.SIMULATED:
        # Wherever the connector is shown, it says that its prices are made up.
        name = f"{name.removesuffix('-simulated')}-simulated"
    return Config(
        source=source,
        url=server_url(str(settings.get("url", ""))),
        symbol=str(settings.get("symbol") or (file and symbol_of(file)) or DEFAULT_SYMBOL),
        name=name,
        spool=path(settings, "spool") or Path(DEFAULT_SPOOL),
        token_url=token_url,
        api_key=api_key,
        key_from=str(settings.get("key_from", "")),
        token=token,
        cafile=path(settings, "cafile"),
        certificate=str(settings.get("certificate", "")),
        token_cafile=path(settings, "token_cafile"),
        file=file,
        history=path(settings, "history"),
        speed=speed(settings, _USUAL_SPEED.get(source)),
        source_timezone=str(settings.get("source_timezone", "utc")),
        digits=integer(settings, "digits"),
        default_spread=number(settings, "default_spread"),
        exit_when_done=flag(settings, "exit_when_done"),
        seed=integer(settings, "seed") or 1,
        from_ms=moment(settings, "from"),
        clock=str(settings.get("clock", "auto")),
        terminal=str(settings.get("terminal", "")),
        portable=flag(settings, "portable"),
        terminal_symbol=str(settings.get("terminal_symbol", "")),
        poll_interval=poll_interval(settings),
        login=integer(settings, "login"),
        password=str(settings.get("password", "")),
        server=str(settings.get("server", "")),
    )
