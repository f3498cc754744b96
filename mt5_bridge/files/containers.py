"""Opens what market data comes in: plain files, compressed ones, and pipes, which are read once."""

import bz2
import gzip
import lzma
import os
import select
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from mt5_bridge.files.errors import MarketFileError

_WAIT_FOR_WRITER = 10.0
_MAGIC_BYTES = 8
_COPY_AGAIN = "copy or download it again"

_NAMES: Final = (
    (b"\x1f\x8b", "gzip", ".gz"),
    (b"BZh", "bzip2", ".bz2"),
    (b"\xfd7zXZ\0", "xz", ".xz"),
    (b"PK\x03\x04", "zip", ".zip"),
    (b"PK\x05\x06", "zip", ".zip"),
    (b"\x28\xb5\x2f\xfd", "zstd", ".zst"),
    (b"PAR1", "parquet", ".parquet"),
    (b"7z\xbc\xaf\x27\x1c", "7z", ".7z"),
    (b"Rar!", "rar", ".rar"),
)
_UNPACKERS: Final[dict[str, Callable[[IO[bytes]], IO[bytes]]]] = {
    "gzip": lambda raw: cast("IO[bytes]", gzip.GzipFile(fileobj=raw)),
    "bzip2": lambda raw: cast("IO[bytes]", bz2.BZ2File(raw)),
    "xz": lambda raw: cast("IO[bytes]", lzma.LZMAFile(raw)),  # noqa: SIM115
}
_REMEDIES: Final = {
    "zstd": "is compressed with zstd, which is not read here; unpack it with `unzstd`",
    "parquet": "is a Parquet file, which is not read here; export it as CSV",
    "7z": "is a 7z archive, which is not read here; unpack it",
    "rar": "is a RAR archive, which is not read here; unpack it",
}


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """The unpacked bytes of a file, and how far the file itself has been read."""

    path: Path
    unpacked: IO[bytes]
    raw: IO[bytes]

    def read(self, size: int) -> bytes:
        """Up to ``size`` unpacked bytes, none at the end; raises `MarketFileError`."""
        try:
            return self.unpacked.read(size)
        except EOFError:
            raise MarketFileError(
                f"{self.path} is cut off: its compressed stream ends in the middle; {_COPY_AGAIN}"
            ) from None
        except (gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile):
            raise MarketFileError(
                f"{self.path} is damaged: its compressed stream does not unpack; {_COPY_AGAIN}"
            ) from None
        except RuntimeError:  # what zipfile says of a password
            raise MarketFileError(f"{self.path} is encrypted; unpack it") from None
        except OSError as error:
            reason = error.strerror or "its compressed stream does not unpack"
            raise MarketFileError(f"{self.path} cannot be read: {reason}") from None

    @property
    def position(self) -> int:
        """How many of the file's own bytes are read."""
        return self.raw.tell()


@contextmanager
def open_file(path: Path) -> Iterator[OpenedFile]:
    """Open a file, unpacked where its content says that it is packed; raises `MarketFileError`.

    A pipe is copied at the first time, so that it can be opened as often as a file.
    """
    try:
        with rereadable(path).open("rb") as raw, _unpacked(path, raw) as unpacked:
            yield OpenedFile(path, unpacked, raw)
    except FileNotFoundError:
        raise MarketFileError(f"{path} does not exist; check the path") from None
    except OSError as error:
        raise MarketFileError(f"{path} cannot be read: {error.strerror}") from None


def rereadable(path: Path) -> Path:
    """The file to open for ``path``: itself, or the copy of a pipe.

    Raises `MarketFileError` for what is neither, and `OSError`.
    """
    found = path.stat()
    if stat.S_ISREG(found.st_mode):
        return path
    if stat.S_ISDIR(found.st_mode):
        raise MarketFileError(f"{path} is a directory; give one file")
    if not stat.S_ISFIFO(found.st_mode):
        raise MarketFileError(f"{path} is neither a file nor a pipe; give a regular file")
    key = (str(path), found.st_dev, found.st_ino)
    if key not in _copies:
        _copies[key] = _copy_of_pipe(path)
    return Path(_copies[key].name)


# Removed when the process ends.
_copies: dict[tuple[str, int, int], "tempfile._TemporaryFileWrapper[bytes]"] = {}


def _copy_of_pipe(path: Path) -> "tempfile._TemporaryFileWrapper[bytes]":
    # Opened without waiting: where the writer has gone for good, an open would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as pipe:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        begin: bytes | None = None
        if not poll.poll(_WAIT_FOR_WRITER * 1000):
            begin = _read_byte(descriptor)
            if begin == b"":
                raise MarketFileError(
                    f"{path} is a pipe that nobody writes to; give a regular file"
                )
        os.set_blocking(descriptor, True)
        copy = tempfile.NamedTemporaryFile(prefix="goldtrader-pipe-")  # noqa: SIM115 - kept
        copy.write(begin or b"")
        shutil.copyfileobj(pipe, copy)
    copy.flush()
    return copy


def _read_byte(descriptor: int) -> bytes | None:
    """The pipe's next byte, empty where nobody holds it open to write.

    `None` where its writer has nothing yet: a sort of a large file takes its time.
    """
    try:
        return os.read(descriptor, 1)
    except BlockingIOError:
        return None


@contextmanager
def _unpacked(path: Path, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    magic = raw.read(_MAGIC_BYTES)
    raw.seek(0)
    kind = next((name for begin, name, _ in _NAMES if magic.startswith(begin)), None)
    named = next((name for _, name, ending in _NAMES if path.suffix.lower() == ending), None)
    if kind in _REMEDIES:
        raise MarketFileError(f"{path} {_REMEDIES[kind]}")
    if named is not None and magic and named != kind:
        raise MarketFileError(
            f"{path} is named {path.suffix} but is not {named}; rename it or export it again"
        )
    if kind == "zip":
        with _member(path, raw) as member:
            yield member
        return
    if kind is None:
        yield raw
        return
    with _UNPACKERS[kind](raw) as unpacked:
        yield unpacked


@contextmanager
def _member(path: Path, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    """The only table in a zip archive; HistData's have a report in text beside it."""
    try:
        archive = zipfile.ZipFile(raw)
    except zipfile.BadZipFile:
        raise MarketFileError(f"{path} is not a sound zip archive; {_COPY_AGAIN}") from None
    with archive:
        files = [name for name in archive.namelist() if not name.endswith("/")]
        tables = [name for name in files if name.lower().endswith(".csv")] or files
        if len(tables) != 1:
            raise MarketFileError(
                f"{path} holds {len(tables)} files; unpack it and give one of them"
            )
        try:
            member = archive.open(tables[0])
        except RuntimeError:
            raise MarketFileError(f"{path} is encrypted; unpack it") from None
        except (zipfile.BadZipFile, NotImplementedError):
            raise MarketFileError(f"{path} cannot be unpacked here; unpack it first") from None
        with member:
            yield member
