"""The files in which processes count, on a disk that may be full, and after a process has ended.

A process writes its counts into memory that is mapped from its file: where the disk has no room for
that file, the kernel would kill the process at its next count.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import prometheus_client.values
import psutil
from prometheus_client.mmap_dict import MmapedDict

#: What a file of ours begins with; Prometheus' own client doubles it when it is full.
_FIRST_BYTES = 1 << 16
#: The number of no process: the counts of all that have ended.
_ENDED = "0"
#: What goes up only and is added up over all processes, whether they live or not.
_ADDED_UP = ("counter", "histogram", "summary")


def keep_room() -> None:
    """Let processes count in files whose room is reserved; call it before anything is counted."""
    values: Any = prometheus_client.values
    values.MmapedDict = _RoomyFile


def forget_ended(directory: Path) -> None:
    """Add the counts of processes that are gone to one file, and delete theirs.

    A sum over all processes stays what it was. Gauges of processes that are gone are gone too.
    """
    with _locked(directory, fcntl.LOCK_EX):
        by_kind = defaultdict(list)
        for file in filter(_is_of_ended, directory.glob("*.db")):
            kind = file.name.partition("_")[0]
            if kind in _ADDED_UP:
                by_kind[kind].append(file)
            else:
                file.unlink(missing_ok=True)
        for kind, files in by_kind.items():
            # Without room for the sum, the files themselves go on to be counted.
            with contextlib.suppress(OSError):
                _add_to(directory / f"{kind}_{_ENDED}.db", files)
                for file in files:
                    file.unlink(missing_ok=True)


@contextlib.contextmanager
def being_read(directory: Path) -> Iterator[list[Path]]:
    """The files of a directory, none of which is added up or deleted meanwhile."""
    with _locked(directory, fcntl.LOCK_SH):
        yield list(directory.glob("*.db"))


def pid_of(file: Path) -> str:
    """The number of the process that a file's counts are of."""
    return file.stem.rpartition("_")[2]


def _is_of_ended(file: Path) -> bool:
    pid = pid_of(file)
    return pid.isdecimal() and pid != _ENDED and not psutil.pid_exists(int(pid))


def _add_to(total: Path, files: list[Path]) -> None:
    """Add what stands in these files to the total, which is there whole or as it was."""
    unfinished = total.with_suffix(".unfinished")
    if total.exists():
        shutil.copyfile(total, unfinished)
    else:
        unfinished.unlink(missing_ok=True)
    shared: Any = _RoomyFile
    sums = shared(str(unfinished), must_be_there=True)
    try:
        for file in files:
            for key, value, _, _ in shared.read_all_values_from_file(str(file)):
                sums.write_value(key, sums.read_value(key)[0] + value, 0.0)
    finally:
        sums.close()
    unfinished.replace(total)


@contextlib.contextmanager
def _locked(directory: Path, kind: int) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


class _RoomyFile(MmapedDict):
    """A file of counts that goes on in memory where the disk has no room for it.

    What is counted there is lost with the process, and shown by none of the others.
    """

    def __init__(self, filename: str, *, must_be_there: bool = False) -> None:
        self._must_be_there = must_be_there
        try:
            with open(filename, "ab") as file:  # noqa: PTH123 - the name that the client gives
                _reserve(file.fileno(), max(os.fstat(file.fileno()).st_size, _FIRST_BYTES))
        except OSError:
            if must_be_there:
                raise
            memory = _memory()
            super().__init__(f"/proc/self/fd/{memory}")  # type: ignore[no-untyped-call]
            os.close(memory)
        else:
            super().__init__(filename)  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        # The client makes the file longer where it must, without asking for the room.
        wanted, needed = self._capacity, self._used + _size_of_entry(key)
        while wanted < needed:
            wanted *= 2
        if wanted > self._capacity:
            self._make_room(wanted)
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _make_room(self, wanted: int) -> None:
        try:
            _reserve(self._f.fileno(), wanted)
        except OSError:
            if self._must_be_there:
                raise
            memory = os.fdopen(_memory(), "a+b")
            memory.write(self._m[:])
            memory.flush()
            self._f.close()
            self._f = memory


def _size_of_entry(key: str) -> int:
    """What the client's format takes for a key and its two numbers, in steps of eight bytes."""
    length = 4 + len(key.encode())
    return length + 8 - length % 8 + 16


def _memory() -> int:
    """A file in memory alone; raises `OSError` where the system has none."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return os.memfd_create("counts")


def _reserve(descriptor: int, size: int) -> None:
    """Have the disk keep room for so many bytes of a file; raises `OSError` where it has none."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
