"""`mt5-bridge store-key`: the API key, or a terminal account's password, into the keyring."""

import getpass
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from mt5_bridge.connector import key_store
from mt5_bridge.connector.config_file import (
    CONFIG_FILE,
    ConfigError,
    read_config_file,
    without_key,
)
from mt5_bridge.connector.key_store import KeyStoreError
from mt5_bridge.connector.options import DEFAULT_NAME, OptionParser

_LONGEST: Final = 500


def store_key(arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Do what the arguments ask for; raises `ConfigError`. Secrets are never shown."""
    given = store_key_parser().parse_args(arguments)
    settings = read_config_file(given.config)
    name = given.name or str(settings.get("name", DEFAULT_NAME))
    owner = key_store.account_owner(given.login, given.server or "") if given.login else name
    try:
        place = key_store.place()
        if given.delete:
            is_deleted = key_store.delete_secret(owner)
            found = f"is deleted from {place}" if is_deleted else f"was not in {place}"
            say(f"what was stored for {owner} {found}")
            return 0
        in_file = "" if given.login else str(settings.get("api_key", ""))
        key_store.store_secret(owner, in_file or _asked_for(owner))
    except KeyStoreError as error:
        raise ConfigError(str(error)) from None
    say(f"the {'password' if given.login else 'key'} of {owner} is in {place} now")
    if in_file:
        say(_taken_out_of(Path(given.config or CONFIG_FILE)))
    elif settings.get("key_from") != "keyring":
        say('the connector takes it from there with key_from = "keyring" in mt5_bridge.toml')
    return 0


def store_key_parser() -> OptionParser:
    """The parser of the command's options; it raises `ConfigError`."""
    parser = OptionParser(
        prog="python -m mt5_bridge store-key",
        description="Puts the connector's API key into the keyring: the one of the settings file, "
        "which then holds it no more; without one it is asked for, or read from standard input.",
    )
    add = parser.add_argument
    add("--config", help=f"the settings file (default {CONFIG_FILE})")
    add("--name", help="whose key it is (default: the settings' name)")
    add("--login", type=int, help="store the password of this terminal account instead")
    add("--server", help="the broker's server of that account")
    add("--delete", action="store_true", help="delete it from the keyring")
    return parser


def _asked_for(owner: str) -> str:
    if sys.stdin is None:
        raise ConfigError("there is no console to ask for the key; pipe it into standard input")
    if sys.stdin.isatty():
        secret = getpass.getpass(f"Secret of {owner} (not shown): ").strip()
    else:
        secret = sys.stdin.readline(_LONGEST + 2).strip()
    if not secret or len(secret) > _LONGEST:
        raise ConfigError(f"that is no key: give one of 1 to {_LONGEST} letters")
    return secret


def _taken_out_of(path: Path) -> str:
    """Take the key out of the settings file; return what was done."""
    by_hand = f'in {path}, put key_from = "keyring" in the place of api_key by hand'
    text = without_key(path)
    if text is None:
        return by_hand
    part = path.with_name(f"{path.name}.part")
    try:
        # With the rights of the file that it replaces.
        part.touch(mode=0o600)
        part.chmod(path.stat().st_mode & 0o777)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        return f"{path} cannot be written ({error.strerror}): {by_hand}"
    return f'{path} holds it no more, but key_from = "keyring"'
