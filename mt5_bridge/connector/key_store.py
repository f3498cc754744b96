"""Secrets in the operating system's keyring: Windows' Credential Locker, Keychain, Secret Service.

Windows encrypts what is in there with a key of the account that is logged in (DPAPI): another
account, or a copy of the disk, cannot read it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "mt5_bridge"
"""Under which name the operating system shows the connector's secrets."""

_LEAST_PRIORITY: Final = 1
"""From this priority on keyring's authors recommend a backend; below are none, and plain files."""
_INSTEAD: Final = (
    "give the key as MT5_BRIDGE_API_KEY, or in a mt5_bridge.toml that nobody else reads"
)


class KeyStoreError(Exception):
    """The keyring cannot be used: one sentence that says what to do."""


def find_secret(owner: str) -> str | None:
    """What is stored for ``owner``, None without anything; raises `KeyStoreError`."""
    with _keyring() as keyring:
        found: str | None = keyring.get_password(SERVICE, owner)
    return found


def store_secret(owner: str, secret: str) -> None:
    """Store a secret for ``owner`` in place of an earlier one; raises `KeyStoreError`."""
    with _keyring() as keyring:
        keyring.set_password(SERVICE, owner, secret)
        is_kept = keyring.get_password(SERVICE, owner) == secret
    if not is_kept:
        raise KeyStoreError(f"the keyring does not give back what was stored in it; {_INSTEAD}")


def delete_secret(owner: str) -> bool:
    """Delete what is stored for ``owner``; return whether there was anything."""
    with _keyring() as keyring:
        if keyring.get_password(SERVICE, owner) is None:
            return False
        keyring.delete_password(SERVICE, owner)
    return True


def place() -> str:
    """The name of the keyring, for people; raises `KeyStoreError` where there is none."""
    with _keyring() as keyring:
        return str(keyring.name)


def account_owner(login: int, server: str) -> str:
    """Whose secret a terminal account's password is."""
    return f"{login}@{server}" if server else str(login)


@contextmanager
def _keyring() -> Iterator["KeyringBackend"]:
    # Here: an optional package, and not every start needs it.
    try:
        import keyring
    except ImportError:
        raise KeyStoreError(
            f"the package keyring is not installed: pip install 'keyring>=25', or {_INSTEAD}"
        ) from None
    try:
        backend = keyring.get_keyring()
        if float(backend.priority) < _LEAST_PRIORITY:
            raise KeyStoreError(f"this machine has no keyring that keeps secrets; {_INSTEAD}")
        yield backend
    except KeyStoreError:
        raise
    except Exception as error:
        # Backends raise what their systems raise, such as Windows' own error in a service's
        # session, which has no Credential Locker.
        reason = str(error) or type(error).__name__
        raise KeyStoreError(f"the keyring cannot be used: {reason}; {_INSTEAD}") from None
