"""The connector's settings file, `mt5_bridge.toml`: read, and kept from other people's eyes."""

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

CONFIG_FILE: Final = "mt5_bridge.toml"
_SECRETS: Final = ("api_key", "token", "password")
_KEY_LINE: Final = re.compile(r"^api[_-]key\s*=.*$", re.MULTILINE)


class ConfigError(ValueError):
    """A setting is missing or wrong: one sentence that says what to do."""


def read_config_file(named: str | None) -> dict[str, Any]:
    """The file's settings; raises `ConfigError`.

    Without a name it is the usual file, and empty where that is not there.
    """
    path = Path(named or CONFIG_FILE)
    try:
        return _parsed(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if named is None:
            return {}
        raise ConfigError(f"there is no file {path}; check --config") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None


def exposed_secrets(named: str | None) -> str:
    """A sentence where other accounts can read secrets in the file, else empty.

    Windows has no such bits: there a file in a user's own folders is that user's.
    """
    path = Path(named or CONFIG_FILE)
    settings = read_config_file(named)
    held = [key for key in _SECRETS if _holds(settings, key)]
    if not held or os.name != "posix" or not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return ""
    return (
        f"{path} holds {' and '.join(held)}, and other accounts can read it: chmod 600 {path}, or "
        "move the key into the keyring (store-key)"
    )


def without_key(path: Path) -> str | None:
    """The file's text with `key_from = "keyring"` for its key; None where its line is unclear."""
    text = path.read_text(encoding="utf-8-sig")
    changed, count = _KEY_LINE.subn('key_from = "keyring"', text)
    try:
        wanted = {**_parsed(text), "key_from": "keyring"}
        wanted.pop("api_key")
        return changed if count == 1 and _parsed(changed) == wanted else None
    except ValueError:
        return None


def _parsed(text: str) -> dict[str, Any]:
    return {key.replace("-", "_"): value for key, value in tomllib.loads(text).items()}


def _holds(settings: dict[str, Any], key: str) -> bool:
    tables = [one for one in settings.values() if isinstance(one, list)]
    inner = [table for one in tables for table in one if isinstance(table, dict)]
    return any(table.get(key) for table in (settings, *inner))
