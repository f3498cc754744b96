"""The account that the stack goes on as when root starts it; PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from goldtrader.stack.errors import StackError

#: Every Linux or macOS has at least one of these accounts; the most suitable first.
_CANDIDATES = ("goldtrader", "postgres", "_postgres", "nobody", "daemon")


@dataclass(frozen=True, slots=True)
class Account:
    """An existing account of the machine, without privileges."""

    name: str
    uid: int
    gid: int


def required_account() -> Account | None:
    """The account to run PostgreSQL as; None where we are not root and run it ourselves."""
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise StackError(
        "PostgreSQL does not run as root and there is no account to run it as; "
        "create one with `useradd --system postgres`, or set DATABASE_URL."
    )


def owner_of(directory: Path) -> Account | None:
    """The account to run as that owns ``directory``; None where we are not root."""
    status = directory.stat()
    if os.geteuid() != 0:
        return None
    if status.st_uid == 0:
        return required_account()
    try:
        name = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        name = str(status.st_uid)
    return Account(name=name, uid=status.st_uid, gid=status.st_gid)


def can_write(account: Account | None, directory: Path) -> bool:
    """Whether ``account`` can enter ``directory`` and write there, by trying."""
    return runs(account, ["/bin/sh", "-c", 'cd "$0" && test -w .', str(directory)])


def runs(account: Account | None, command: list[str]) -> bool:
    """Whether ``command``, run as ``account``, exits with 0."""
    try:
        done = subprocess.run(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=False,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
