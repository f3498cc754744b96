"""The text of a candle file, and sentences that say where it is wrong."""

import gzip
import zlib
from pathlib import Path
from typing import Final, NoReturn

CORRECT_LINE: Final = "correct or remove that line"
ACCEPTED_FORMATS: Final = (
    "timestamp,open,high,low,close,volume, a MetaTrader 5 export (<DATE> <TIME> <OPEN> ...) "
    "or a Dukascopy export (Gmt time,Open,...)"
)


class CandleFileError(ValueError):
    """The file cannot be used; the sentence says where, what is wrong and what to do."""


class CandleText:
    """The text of one file, which knows how to say where it is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = self._text()
        if not self.text.strip():
            self.fail("is empty", "export it again")

    def fail(self, what: str, remedy: str) -> NoReturn:
        """Refuse the file; raises `CandleFileError`."""
        raise CandleFileError(f"{self.path} {what}; {remedy}.")

    def fail_at(self, row: int, what: str, remedy: str = CORRECT_LINE) -> NoReturn:
        """Refuse the candle at place ``row``, by its line number in the file."""
        self._fail_in_line(self._line_number(row), what, remedy)

    def field(self, row: int, separator: str, column: int) -> str:
        """A field as it is written, empty where the line is too short."""
        line = self.text.splitlines()[self._line_number(row) - 1]
        fields = line.split(separator)
        return fields[column].strip() if column < len(fields) else ""

    def refuse_long_lines(self, separator: str, width: int) -> None:
        """Refuse a line with more fields than the header has: pandas would drop what is over."""
        for number, line in enumerate(self.text.splitlines(), 1):
            if line.count(separator) >= width and '"' not in line:
                self._fail_in_line(number, f"more than {width} fields")

    def header(self) -> str:
        """The first line that is not empty."""
        return next(line for line in self.text.splitlines() if line.strip())

    def _fail_in_line(self, number: int, what: str, remedy: str = CORRECT_LINE) -> NoReturn:
        raise CandleFileError(f"{self.path}, line {number}: {what}; {remedy}.")

    def _line_number(self, row: int) -> int:
        numbers = (n for n, line in enumerate(self.text.splitlines(), 1) if line.strip())
        return next(n for place, n in enumerate(numbers) if place == row + 1)

    def _text(self) -> str:
        try:
            raw = self.path.read_bytes()
            if raw[:2] == b"\x1f\x8b" or self.path.suffix == ".gz":
                raw = gzip.decompress(raw) if raw else raw
        except FileNotFoundError:
            self.fail("does not exist", "check the path")
        except EOFError:
            self.fail("is cut off in the middle", "copy or download it again")
        except (gzip.BadGzipFile, zlib.error):
            self.fail("is not a sound gzip file", "copy or download it again")
        except OSError as error:
            self.fail(f"cannot be read ({error.strerror})", "check the path and its permissions")
        encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            self.fail("is not a text file", f"give a CSV file: {ACCEPTED_FORMATS}")
        if "\0" in text:
            self.fail("is not a text file", f"give a CSV file: {ACCEPTED_FORMATS}")
        return text
