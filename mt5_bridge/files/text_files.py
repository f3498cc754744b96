"""Text files of market data: whole lines of plain or gzip'd files, and the times in them."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, cast

_BLOCK_BYTES = 1_500_000
_MINUTE_MS = 60_000


class TickFileError(ValueError):
    """A file that cannot be used: one sentence that names the file, the line and what to do."""


def open_text(path: Path) -> IO[bytes]:
    """Return the file's bytes as UTF-8, unpacked where it is gzip; raises `TickFileError`."""
    try:
        if path.is_dir():
            raise TickFileError(f"{path} is a directory; give one file")
        with path.open("rb") as raw:
            magic = raw.read(2)
        is_gzip = magic == b"\x1f\x8b"
        if path.suffix == ".gz" and magic and not is_gzip:
            raise TickFileError(
                f"{path} is named .gz but is not gzip; rename it or compress it with gzip"
            )
        # The caller closes it.
        unpacked = gzip.open(path) if is_gzip else path.open("rb")  # noqa: SIM115
    except FileNotFoundError:
        raise TickFileError(f"there is no file {path}; check the path") from None
    except OSError as error:
        raise TickFileError(f"{path} cannot be read: {error.strerror}") from None
    head = _read(unpacked, path, 2)
    unpacked.seek(0)
    if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        # MetaTrader writes some of its exports in UTF-16.
        with unpacked:
            whole = _read(unpacked, path, -1)
        return io.BytesIO(whole.decode("utf-16", errors="replace").encode())
    return cast("IO[bytes]", unpacked)


def blocks(
    path: Path, on_read: Callable[[int], None] = lambda _: None
) -> Iterator[tuple[int, bytes]]:
    """Yield the file in whole lines, with the number of each part's first line.

    ``on_read`` gets, before each part, how many of the file's bytes are read.
    """
    line, rest = 1, b""
    with open_text(path) as file:
        while block := _read(file, path, _BLOCK_BYTES):
            on_read(_bytes_read(file, path))
            block = rest + block
            cut = block.rfind(b"\n") + 1
            if cut:
                yield line, block[:cut]
                line += block.count(b"\n", 0, cut)
            rest = block[cut:]
            if len(rest) > 4 * _BLOCK_BYTES:
                raise TickFileError(f"{path}, line {line} has no end; it is not a text file")
    if rest:
        yield line, rest


def has_zone(text: str) -> bool:
    """Whether a time's text says its zone."""
    return bool(re.search(r"(?:Z|[+-]\d{2}:?\d{2})$", text)) and not text.isdigit()


def read_time(text: str) -> tuple[int, bool]:
    """Return a time in milliseconds and whether it is UTC; `ValueError` where it is no time."""
    if text.isdigit():
        # Ten digits are seconds up to the year 2286, thirteen are milliseconds.
        return int(text) * (1000 if len(text) <= 10 else 1), False
    base = _MINUTES.get(text[:16])
    seconds = text[17:]
    if base is not None and text[16:17] == ":" and len(seconds) in (2, 6) and seconds[:2].isdigit():
        if len(seconds) == 2:
            return base + int(seconds) * 1000, False
        if seconds[2] == "." and seconds[3:].isdigit():
            return base + int(seconds[:2]) * 1000 + int(seconds[3:]), False
    return _time_at_length(text)


# The minutes of times without a zone: a tick file repeats each of them many times.
_MINUTES: dict[str, int] = {}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall clocks know no zone yet


def _time_at_length(text: str) -> tuple[int, bool]:
    plain = text[:10].replace(".", "-").replace("/", "-") + text[10:]
    moment = datetime.fromisoformat(plain)
    has_zone = moment.tzinfo is not None
    if has_zone:
        moment = moment.replace(tzinfo=None) - (moment.utcoffset() or timedelta(0))
    since = moment - _EPOCH
    milliseconds = since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
    if not has_zone and len(text) >= 19:
        if len(_MINUTES) > 10_000:
            _MINUTES.clear()
        _MINUTES[text[:16]] = milliseconds - milliseconds % _MINUTE_MS
    return milliseconds, has_zone


def _bytes_read(file: IO[bytes] | gzip.GzipFile, path: Path) -> int:
    if isinstance(file, io.BytesIO):
        # From UTF-16, which has more bytes than the text here.
        return path.stat().st_size * file.tell() // max(len(file.getbuffer()), 1)
    if isinstance(file, gzip.GzipFile):
        return cast("IO[bytes]", file.fileobj).tell()
    return file.tell()


def _read(file: IO[bytes] | gzip.GzipFile, path: Path, size: int) -> bytes:
    try:
        return file.read(size)
    except EOFError:
        raise TickFileError(
            f"{path} is cut off: its gzip stream ends in the middle; copy or download it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error):
        raise TickFileError(
            f"{path} is damaged: its gzip stream does not unpack; copy or download it again"
        ) from None
    except OSError as error:
        raise TickFileError(f"{path} cannot be read: {error.strerror}") from None
