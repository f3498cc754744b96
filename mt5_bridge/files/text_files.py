"""The text of market-data files: whole lines in UTF-8, whatever the encoding and line ends."""

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mt5_bridge.files.containers import OpenedFile, open_file
from mt5_bridge.files.errors import MarketFileError

_BLOCK_BYTES = 1_500_000
_SNIFFED_BYTES = 64


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a file that is not blank, and its number."""

    line: int
    text: str


def read_header(path: Path) -> Header:
    """The header; raises `MarketFileError` where the file has no line."""
    for first, block in blocks(path):
        for number, text in enumerate(block.split(b"\n"), first):
            if not text.isspace() and text:
                return Header(number, text.decode().strip())
    raise MarketFileError(f"{path} is empty; export it again")


def bodies(
    path: Path, header_line: int, on_read: Callable[[int], None] = lambda _: None
) -> Iterator[tuple[int, bytes]]:
    """Yield what follows the header in whole lines, with each part's first line number."""
    for line, block in blocks(path, on_read):
        skipped = max(header_line + 1 - line, 0)
        if not skipped:
            yield line, block
        elif (body := block.split(b"\n", skipped)[skipped:]) and body[0]:
            yield line + skipped, body[0]


def blocks(
    path: Path, on_read: Callable[[int], None] = lambda _: None
) -> Iterator[tuple[int, bytes]]:
    """Yield the file in whole lines that end in a line feed, with each part's first line number.

    ``on_read`` gets, before each part, how many of the file's bytes are read. Raises
    `MarketFileError`.
    """
    line, rest = 1, b""
    with open_file(path) as file:
        for block in _utf_8(file):
            on_read(file.position)
            block = rest + block
            # A carriage return at the end may be half of a line end.
            held = block[-1:] if block.endswith(b"\r") else b""
            block = _with_line_feeds(block[: len(block) - len(held)])
            cut = block.rfind(b"\n") + 1
            if cut:
                yield line, _checked(path, line, block[:cut])
                line += block.count(b"\n", 0, cut)
            rest = block[cut:] + held
            if len(rest) > 4 * _BLOCK_BYTES:
                raise MarketFileError(f"{path}, line {line} has no end; it is not a text file")
    if rest := _with_line_feeds(rest):
        yield line, _checked(path, line, rest)


def _with_line_feeds(block: bytes) -> bytes:
    if b"\r" not in block:
        return block
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _checked(path: Path, line: int, block: bytes) -> bytes:
    """The block; raises `MarketFileError` where it is no UTF-8 text."""
    place = block.find(b"\0")
    if place < 0:
        if block.isascii():
            return block
        try:
            block.decode()
        except UnicodeDecodeError as error:
            place = error.start
        else:
            return block
    line += block.count(b"\n", 0, place)
    raise MarketFileError(f"{path}, line {line} is not text in UTF-8; export the file as UTF-8 CSV")


def _utf_8(file: OpenedFile) -> Iterator[bytes]:
    """Yield the file's bytes as UTF-8 without a byte order mark."""
    block = file.read(_BLOCK_BYTES)
    encoding, mark = _encoding(block[:_SNIFFED_BYTES])
    block = block[mark:]
    decoder = codecs.getincrementaldecoder(encoding)() if encoding else None
    while block:
        if decoder is None:
            yield block
        else:
            # MetaTrader writes some of its exports in UTF-16.
            yield _decoded(file.path, decoder, block)
        block = file.read(_BLOCK_BYTES)
    if decoder is not None:
        _decoded(file.path, decoder, b"", final=True)


def _decoded(
    path: Path, decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False
) -> bytes:
    try:
        return decoder.decode(block, final).encode()
    except UnicodeError:
        raise MarketFileError(
            f"{path} begins as UTF-16 and does not go on so; export the file as UTF-8 CSV"
        ) from None


def _encoding(head: bytes) -> tuple[str | None, int]:
    """The encoding, None for UTF-8, and how many bytes its mark takes."""
    for mark, encoding in (
        (codecs.BOM_UTF8, None),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if head.startswith(mark):
            return encoding, len(mark)
    # A header is ASCII: in UTF-16 every second byte of it is zero, with a mark or without.
    if len(head) >= 4 and b"\0" in head:
        even, odd = head[::2], head[1::2]
        if not odd.strip(b"\0") and b"\0" not in even:
            return "utf-16-le", 0
        if not even.strip(b"\0") and b"\0" not in odd:
            return "utf-16-be", 0
    return None, 0
