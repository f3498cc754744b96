"""Started by root, the stack goes on as an account without privileges, with all its parts."""

import contextlib
import os
import sys
from pathlib import Path
from typing import NoReturn

from goldtrader.stack import account as accounts
from goldtrader.stack.account import Account
from goldtrader.stack.errors import StackError
from goldtrader.stack.servers.postgres import home

_ROOT = Path(__file__).resolve().parents[2]
#: A directory with one of these was a stack's before; any other that is not empty is somebody's.
_OURS = ("lock", "keys.json")


def leave_root(data_dir: Path) -> str | None:
    """Start this program anew as an account without privileges, which owns the data directory.

    Does nothing where we are not root. Gives a sentence where no account can take over, since it
    cannot read the program or reach the data; then everything but PostgreSQL stays root's.
    Raises `StackError` where there is no account at all.
    """
    account = _successor(data_dir)
    if account is None:
        return None
    unreachable = _unreachable(account, data_dir)
    if unreachable is not None:
        return (
            f"This runs as root: the account {account.name!r} cannot use {unreachable}. "
            "Where it can, such as in /opt, all of it runs without privileges."
        )
    _hand_over(data_dir, account)
    if accounts.can_write(account, data_dir):
        _become(account, data_dir)
    return f"This runs as root: the account {account.name!r} cannot write in {data_dir}."


def _successor(data_dir: Path) -> Account | None:
    """The account that owns the data already, else one of the machine's; None if not root."""
    required = accounts.required_account()
    if required is None:
        return None
    with contextlib.suppress(StackError):
        for owned in (home.remembered(data_dir), data_dir):
            if owned is not None and owned.exists() and owned.stat().st_uid != 0:
                return accounts.owner_of(owned)
    return required


def _unreachable(account: Account, data_dir: Path) -> Path | None:
    """What ``account`` would need and cannot use."""
    if not accounts.runs(account, ["/usr/bin/test", "-r", str(_ROOT / "manage.py")]):
        return _ROOT
    # The very program: an interpreter that starts may still miss its libraries.
    program = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); import goldtrader.stack.command"
    if not accounts.runs(account, [sys.executable, "-c", program]):
        return Path(sys.executable)
    above = data_dir if data_dir.exists() else data_dir.parent
    while not above.exists():
        above = above.parent
    if not accounts.runs(account, ["/usr/bin/test", "-x", str(above.parent)]):
        return above
    is_foreign = data_dir.exists() and any(data_dir.iterdir())
    if is_foreign and not any((data_dir / name).exists() for name in _OURS):
        return data_dir
    return None


def _hand_over(data_dir: Path, account: Account) -> None:
    """Make the directory, and give the account what in it is root's."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for _, directories, files, descriptor in os.fwalk(data_dir, follow_symlinks=False):
        for name in (*directories, *files):
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            # A file with a second name might be one of the system's.
            if status.st_uid == 0 and (name in directories or status.st_nlink == 1):
                os.chown(
                    *(name, account.uid, account.gid), dir_fd=descriptor, follow_symlinks=False
                )
    os.chown(data_dir, account.uid, account.gid, follow_symlinks=False)


def _become(account: Account, data_dir: Path) -> NoReturn:
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    environment = os.environ | {
        "HOME": str(data_dir),
        "USER": account.name,
        "LOGNAME": account.name,
        # The program's own directory, where compiled detectors are kept else, is root's.
        "NUMBA_CACHE_DIR": str(data_dir / "compiled"),
    }
    # Anew, since what root loaded may not be looked into by the account, not even by itself.
    os.execve(  # noqa: S606 - itself
        sys.executable, [sys.executable, *sys.argv], environment
    )
