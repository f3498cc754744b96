"""Shortened copies of a file of market data, as it was when its last rows were not written yet."""

import gzip
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, cast

_GZIP = b"\x1f\x8b"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def shortened_copy(path: Path, rows: int, directory: Path) -> Path:
    """Write the header and the first ``rows`` rows into ``directory``; return the copy.

    It is packed where the file is, and has its name; lines without text are no rows.
    """
    copy = directory / path.name
    with _unpacked(path) as file, _as_packed_as(path, copy) as written:
        written.writelines(islice(_lines(file), rows + 1))
    return copy


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    return (line for line in file if line.strip())


def _unpacked(path: Path) -> IO[bytes]:
    # The caller closes it.
    file = gzip.open(path) if _is_packed(path) else path.open("rb")  # noqa: SIM115
    if file.read(2) in _UTF_16:
        file.seek(0)
        with file:
            return io.BytesIO(file.read().decode("utf-16").encode())
    file.seek(0)
    return cast("IO[bytes]", file)


def _as_packed_as(path: Path, copy: Path) -> IO[bytes]:
    if _is_packed(path):
        return cast("IO[bytes]", gzip.open(copy, "wb", compresslevel=1))
    return copy.open("wb")


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP
