"""The data directory: what is in it, and the lock that gives it to one stack at a time."""

import contextlib
import fcntl
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from goldtrader.stack.errors import StackError

#: So long a process that was killed may take to let go of what it held.
_DYING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class DataDir:
    """The paths inside one data directory."""

    path: Path

    @property
    def logs(self) -> Path:
        """Holds a log file for each child process."""
        return self.path / "logs"

    @property
    def valkey(self) -> Path:
        """What Valkey keeps on disk."""
        return self.path / "valkey"

    @property
    def keys(self) -> Path:
        """The generated secrets; only the owner may read it."""
        return self.path / "keys.json"

    @property
    def certificate(self) -> Path:
        """The certificate of the gateway, and the only one the connector trusts."""
        return self.path / "gateway.crt"

    @property
    def private_key(self) -> Path:
        """The key of the gateway's certificate."""
        return self.path / "gateway.key"

    @property
    def connector(self) -> Path:
        """The connector's spool: ticks that are not acknowledged yet."""
        return self.path / "connector"

    @property
    def metrics(self) -> Path:
        """The metrics of the running stack's processes, a file for each."""
        return self.path / "metrics"

    @property
    def settings(self) -> Path:
        """Where the last stack's servers are, read by Django's settings of commands beside it."""
        return self.path / "stack.json"

    @property
    def children(self) -> Path:
        """The stack's processes, so that the next stack can end them if this one is killed."""
        return self.path / "children.json"

    def prepare(self) -> None:
        """Make the directory; raises `StackError` where that, or writing in it, is refused.

        Its owner alone may enter. Root's may be passed through: PostgreSQL runs as another account.
        """
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            is_ours = not self.path.exists() or (self.path / "lock").exists()
            self.path.mkdir(parents=True, exist_ok=True)
            if is_ours:
                self.path.chmod(mode)
            self.logs.mkdir(exist_ok=True)
            self.logs.chmod(0o700)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            reason = error.strerror or str(error)
            raise StackError(
                f"The data directory {self.path} cannot be written ({reason}); "
                "choose another with --data-dir."
            ) from error

    @contextlib.contextmanager
    def held(self, *, by: str) -> Iterator[None]:
        """Lock the directory; the kernel releases the lock when this process ends, however it ends.

        The lock is this process's alone: a fork that outlives it holds nothing. Raises `StackError`
        naming the holder's ``by`` where that lives. One that was just killed is waited for.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        _held.add(descriptor)
        try:
            deadline = time.monotonic() + _DYING_SECONDS
            while not _lock(descriptor):
                holder = os.pread(descriptor, 200, 0).decode(errors="replace")
                if _lives(holder) or time.monotonic() >= deadline:
                    raise StackError(
                        f"The data directory {self.path} is in use by {holder or 'another stack'}; "
                        "stop that first, or choose another with --data-dir."
                    )
                time.sleep(0.02)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{by} (process {os.getpid()})".encode(), 0)
            yield
        finally:
            _held.discard(descriptor)
            os.close(descriptor)


#: The lock files that this process has open.
_held: set[int] = set()


def _let_go_in_fork() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


# A lock lasts until the last copy of its descriptor is closed, and every fork gets a copy.
os.register_at_fork(after_in_child=_let_go_in_fork)


def _lives(holder: str) -> bool:
    """Whether the process that noted itself in the lock file runs, as far as can be told."""
    noted = re.search(r"\(process (\d+)\)", holder)
    if noted is None:
        # Between its lock and its note.
        return False
    try:
        return psutil.Process(int(noted[1])).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as JSON that only the owner may read, whole or not at all."""
    write_whole(path, json.dumps(content, indent=2).encode())


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write ``content`` whole or not at all, whatever is killed or full meanwhile."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as written:
            written.write(content)
            written.flush()
            # A crash of the machine must not leave the new name with nothing in it.
            os.fsync(written.fileno())
        unfinished.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
