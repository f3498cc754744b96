"""The values of settings: read by their kind, and refused in one sentence."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mt5_bridge.connector.config_file import ConfigError
from mt5_bridge.connector.credentials import is_loopback


def server_url(url: str) -> str:
    """The server's address; encrypted beyond this machine."""
    if not _is_address(url, ("ws", "wss")):
        raise ConfigError("give the server with --url wss://HOST:8765/ws/v1/ticks")
    if urlsplit(url).scheme == "ws" and not is_loopback(url):
        raise ConfigError(f"{url} is not encrypted; give a wss:// address")
    return url


def check_token_url(url: str) -> None:
    """Refuse an address to which the key would go unencrypted beyond this machine."""
    if not _is_address(url, ("http", "https")):
        raise ConfigError(f"{url} is no address; give --token-url https://HOST/…")
    if urlsplit(url).scheme == "http" and not is_loopback(url):
        raise ConfigError(
            f"{url} is not encrypted and would show the API key; give an https:// address"
        )


def speed(settings: Mapping[str, Any], usual: float | None) -> float | None:
    """Times real time, None for as quickly as it goes; ``usual`` where nothing is given."""
    if "speed" not in settings:
        return usual
    if settings["speed"] == "max":
        return None
    given = number(settings, "speed")
    if given is None or not 0 < given < float("inf"):
        raise ConfigError(f"--speed {settings['speed']} is neither a number above 0 nor max")
    return given


def poll_interval(settings: Mapping[str, Any]) -> float:
    """Seconds between two looks at the terminal."""
    seconds = number(settings, "poll_interval")
    if seconds is None:
        return 0.1
    # Of looks that are further apart nobody could say when a tick came.
    if not 0.01 <= seconds <= 2:
        raise ConfigError(f"--poll-interval {seconds:g} is not between 0.01 and 2 seconds")
    return seconds


def flag(settings: Mapping[str, Any], key: str) -> bool:
    return str(settings.get(key, "")).lower() in ("true", "1", "yes")


def path(settings: Mapping[str, Any], key: str) -> Path | None:
    return Path(str(settings[key])).expanduser() if settings.get(key) else None


def number(settings: Mapping[str, Any], key: str) -> float | None:
    try:
        return float(settings[key]) if key in settings else None
    except (TypeError, ValueError):
        raise ConfigError(f"--{key.replace('_', '-')} {settings[key]} is not a number") from None


def integer(settings: Mapping[str, Any], key: str) -> int | None:
    try:
        return int(settings[key]) if key in settings else None
    except (TypeError, ValueError):
        raise ConfigError(
            f"--{key.replace('_', '-')} {settings[key]} is not a whole number"
        ) from None


def moment(settings: Mapping[str, Any], key: str) -> int | None:
    """Unix milliseconds of a date; UTC where it names no zone."""
    if key not in settings:
        return None
    try:
        found = datetime.fromisoformat(str(settings[key]))
    except ValueError:
        raise ConfigError(f"--{key} {settings[key]} is not a date such as 2026-01-05") from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return round(found.timestamp() * 1000)


def _is_address(url: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # what is no port raises here, and would at every attempt to connect
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname) and not re.search(r'[\s"\\]', url)
