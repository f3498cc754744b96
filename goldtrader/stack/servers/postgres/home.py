"""Where the cluster of a data directory lives, and the account that may enter."""

import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from goldtrader.stack.account import Account, can_write, owner_of, required_account
from goldtrader.stack.data_dir import write_whole
from goldtrader.stack.errors import StackError
from goldtrader.stack.servers.postgres import binaries
from goldtrader.stack.servers.postgres.binaries import Binaries

#: Where root's clusters go when the account cannot enter the data directory; the second is for
#: machines whose first is read-only.
_REACHABLE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - owned and checked, see _make


@dataclass(frozen=True, slots=True)
class ClusterHome:
    """The directory of a cluster, the programs that open it, and the account they run as."""

    path: Path
    binaries: Binaries
    account: Account | None

    @property
    def cluster(self) -> Path:
        """The cluster itself; it exists only when `initdb` finished."""
        return self.path / "cluster"


def home_of(data_dir: Path) -> ClusterHome:
    """Where the cluster of ``data_dir`` lives, chosen and made the first time."""
    found = binaries.find_binaries()
    known = remembered(data_dir)
    if known is not None:
        return _known_home(data_dir, known, found)
    return _new_home(data_dir, found)


def remove(data_dir: Path) -> None:
    """Delete the cluster of ``data_dir``, wherever it lives."""
    path = remembered(data_dir)
    if path is not None:
        shutil.rmtree(path, ignore_errors=True)
    _memory(data_dir).unlink(missing_ok=True)


def _known_home(data_dir: Path, path: Path, found: Binaries) -> ClusterHome:
    if not path.is_dir():
        raise StackError(
            f"The database of {data_dir} was in {path}, which is gone; "
            f"bring it back, or delete {_memory(data_dir)} to begin with an empty one."
        )
    account = owner_of(path)
    if account is not None and not can_write(account, path):
        raise StackError(
            f"PostgreSQL runs as {account.name!r}, which cannot reach {path}; "
            "bring the data directory back to where it was."
        )
    return ClusterHome(path, binaries.reachable_by(account, found, home=path), account)


def _new_home(data_dir: Path, found: Binaries) -> ClusterHome:
    account = required_account()
    reason = ""
    for path in _candidates(data_dir, account):
        try:
            _make(path, account)
            if can_write(account, path):
                reachable = binaries.reachable_by(account, found, home=path)
                break
            path.rmdir()
        except (OSError, StackError) as error:
            reason = f": {error}"
    else:
        who = "this account" if account is None else f"the account {account.name!r}"
        raise StackError(f"PostgreSQL found no directory for {data_dir} that {who} can use{reason}")
    _remember(data_dir, path)
    return ClusterHome(path, reachable, account)


def _candidates(data_dir: Path, account: Account | None) -> Iterator[Path]:
    yield data_dir / "postgres"
    if account is not None:
        name = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]
        for parent in _REACHABLE:
            # One that exists may belong to a data directory that was moved: it is left alone.
            names = (f"goldtrader-{name}-{number}" for number in itertools.count(1))
            yield next(path for each in names if not (path := parent / each).exists())


def _make(path: Path, account: Account | None) -> None:
    """Make ``path``, which ``account`` alone may enter; a cluster that is in it stays."""
    own_uids = {os.geteuid()} if account is None else {os.geteuid(), account.uid}
    if path.is_symlink() or (path.exists() and path.stat().st_uid not in own_uids):
        raise StackError(f"{path} belongs to somebody else.")
    path.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _memory(data_dir: Path) -> Path:
    return data_dir / "postgres.json"


def _remember(data_dir: Path, path: Path) -> None:
    # Relative where it lies inside, so that the data directory can be moved.
    kept = path.relative_to(data_dir) if path.is_relative_to(data_dir) else path
    write_whole(_memory(data_dir), json.dumps({"home": str(kept)}).encode())


def remembered(data_dir: Path) -> Path | None:
    """Where the cluster of ``data_dir`` lives; None where it has none yet.

    Raises `StackError` where what says so cannot be read.
    """
    try:
        return data_dir / str(json.loads(_memory(data_dir).read_text())["home"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StackError(f"{_memory(data_dir)} cannot be read: {error}.") from error
