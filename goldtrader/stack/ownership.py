"""Whether a data directory is this account's own, as a restored backup may not be."""

import contextlib
import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from goldtrader.stack.errors import StackError
from goldtrader.stack.servers.postgres import home


def require_own(data_dir: Path, *, uid: int) -> None:
    """Raise `StackError`, which names the owner, where something in it is not the account's.

    Root may use all of it. PostgreSQL itself refuses a cluster of another owner, whatever the
    rights, and what others own cannot be replaced by us.
    """
    if uid == 0:
        return
    for path in _parts(data_dir):
        with contextlib.suppress(FileNotFoundError):
            owner = path.stat(follow_symlinks=False).st_uid
            if owner != uid:
                raise StackError(
                    f"{path} belongs to {_name(owner)}, and this account is {_name(uid)}: give it "
                    f"all of the directory by `sudo chown -R {_name(uid)} "
                    f"{shlex.quote(str(data_dir))}`, or start as {_name(owner)}."
                )


def close_to_others(data_dir: Path) -> None:
    """Take from others the rights that a restored backup gave them, and PostgreSQL refuses.

    Raises nothing: what cannot be changed will be refused by whoever needs it.
    """
    kept = home.remembered(data_dir)
    private = [data_dir / "keys.json", data_dir / "stack.json", data_dir / "gateway.key"]
    if kept is not None:
        private.append(kept / "cluster")
    for path in private:
        with contextlib.suppress(OSError):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                path.chmod(mode & 0o700)


def _parts(data_dir: Path) -> Iterator[Path]:
    try:
        yield from sorted(data_dir.iterdir())
    except FileNotFoundError:
        return
    except PermissionError:
        yield data_dir
        return
    kept = home.remembered(data_dir)
    if kept is not None:
        yield kept
        if os.access(kept, os.X_OK):
            yield kept / "cluster"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
