"""The rows of a market-data file: cells, numbers and times, by the block or one by one."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mt5_bridge.files.broker_time import BrokerClock
from mt5_bridge.files.errors import MarketFileError, printable
from mt5_bridge.files.file_times import LATEST_MS, FileTime, Unit, read_time, read_times
from mt5_bridge.files.layout import Layout
from mt5_bridge.files.text_files import bodies
from mt5_bridge.protocol.quotes import PRICE_DECIMALS, quantise

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Bools = NDArray[np.bool_]
Cells = list[list[bytes]]

CORRECT_LINE: Final = "correct or remove that line"
_LINE_FEED = 10
_NOISE = 1e-9
_TICKS_GO_BACK_MS = 60_000
# Words that `float` knows; the rules for prices then refuse them by name.
_NOT_FINITE = frozenset({"nan", "inf", "-inf", "infinity", "-infinity"})
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# A comma alone may be a decimal one; beside a point, in groups of three, it is not.
_THOUSANDS: Final = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+")


@dataclass(frozen=True, slots=True)
class RowParser:
    """Takes rows apart; every fault raises a `MarketFileError` that names the line."""

    path: Path
    layout: Layout
    clock: BrokerClock

    def bodies(
        self, on_read: Callable[[int], None] = lambda _: None
    ) -> Iterator[tuple[int, bytes]]:
        """Yield the file without its header in whole lines, with each part's first line number."""
        return bodies(self.path, self.layout.header_line, on_read)

    def first_time(self) -> str:
        """The text of the first row's time, empty where there is no row."""
        for line, block in self.bodies():
            for _, cells in self.cells(line, block):
                return self.time_text(cells)
        return ""

    def columns(self, block: bytes) -> Cells | None:
        """The cells of each column, None where the rows are not all of the same width."""
        delimiter, width = self.layout.delimiter.encode(), self.layout.width
        if not block.endswith(b"\n"):
            block += b"\n"
        if b'"' in block:
            return None
        letters = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero((letters == _LINE_FEED) | (letters == delimiter[0]))
        count = block.count(b"\n")
        if len(ends) != count * width or not np.all(
            letters[ends[width - 1 :: width]] == _LINE_FEED
        ):
            return None
        cells = block.replace(b"\n", delimiter).split(delimiter)
        return [cells[place : count * width : width] for place in range(width)]

    def cells(self, line: int, block: bytes) -> Iterator[tuple[int, Sequence[str]]]:
        """Yield line number and cells of each row; ``line`` is the block's first line."""
        delimiter, width = self.layout.delimiter, self.layout.width
        for number, text in enumerate(block.decode().split("\n"), line):
            if not text or text.isspace():
                continue
            cells = self._quoted(number, text) if '"' in text else text.split(delimiter)
            if len(cells) != width:
                what = f"{len(cells)} columns where the header has {width}"
                raise self.error(number, what)
            yield number, cells

    def _quoted(self, line: int, text: str) -> list[str]:
        try:
            return next(csv.reader([text], delimiter=self.layout.delimiter), [])
        except csv.Error as error:  # a quote that nothing ends takes in the rest of the file
            raise self.error(line, f"its quotes cannot be read ({error})") from None

    def number(
        self, line: int, cells: Sequence[str], place: int, empty: float | None
    ) -> float | None:
        """The number in the cell at ``place``; ``empty`` where nothing stands there."""
        text = cells[place].strip()
        if not text:
            return empty
        if _NUMBER.fullmatch(text) or text.lower() in _NOT_FINITE:
            return float(text)
        if _THOUSANDS.fullmatch(text):
            return float(text.replace(",", ""))
        name = next(name for name, at in self.layout.columns.items() if at == place)
        what = f"{printable(text, 40)} in column {name} is not a number"
        if "," in text:
            what += " (a comma may be a decimal one: write a point, and no thousands)"
        raise self.error(line, what)

    def time_cells(self, columns: Cells) -> list[bytes]:
        """The texts of the rows' times."""
        parts = [columns[place] for place in self.layout.time_columns]
        return (
            parts[0] if len(parts) == 1 else [b" ".join(both) for both in zip(*parts, strict=True)]
        )

    def time_text(self, cells: Sequence[str]) -> str:
        return " ".join(cells[place].strip() for place in self.layout.time_columns)

    def refuse_off_grid(self, line_of: Callable[[int], int], *columns: Float64s) -> None:
        """Refuse the first row with a price that five decimals cannot hold.

        Rounded, prices of eight decimals would become flat candles. What a float leaves behind the
        decimals of a price is no change.
        """
        with np.errstate(invalid="ignore"):
            changed = [np.abs(prices - quantise(prices)) > _NOISE for prices in columns]
        rows = np.flatnonzero(np.any(changed, axis=0))
        if not len(rows):
            return
        row = int(rows[0])
        price = next(prices[row] for prices, off in zip(columns, changed, strict=True) if off[row])
        shown = np.format_float_positional(price)
        raise self.error(
            line_of(row),
            f"the price {shown} has more than the {PRICE_DECIMALS} decimals that are kept",
            "give prices of a larger unit, or rounded ones",
        )

    def error(self, line: int, what: str, remedy: str = CORRECT_LINE) -> MarketFileError:
        return MarketFileError(f"{self.path}, line {line}: {what}; {remedy}")


_DECODER = msgspec.json.Decoder(list[float])


def numbers(cells: list[bytes]) -> Float64s | None:
    """Read cells at once, as JSON numbers; None where one is written in another way."""
    try:
        values = _DECODER.decode(b"[%b]" % b",".join(cells))
    except (msgspec.DecodeError, UnicodeError):
        return None
    return np.array(values, dtype=np.float64) if len(values) == len(cells) else None


@dataclass(slots=True)
class TimeColumn:
    """The times of one pass over a file, in UTC.

    It remembers what numbers count, and the last time: where a clock went back in autumn, the order
    of the file says which of two equal hours is meant.
    """

    rows: RowParser
    is_read: bool = False
    unit: Unit | None = None
    last_ms: int = 0

    @property
    def clock(self) -> BrokerClock:
        """The clock of times that name no zone."""
        return self.rows.layout.clock or self.rows.clock

    def at_once(self, line: int, columns: Cells) -> Int64s | None:
        """Read a column; None where its rows have to be read one by one."""
        return self._of_one_form(self.rows.time_cells(columns), lambda place: line + place)

    def one_by_one(self, lines: Sequence[int], texts: Sequence[str]) -> Int64s:
        """Read times row by row; raises `MarketFileError` at the first that is none."""
        times = self._of_one_form([text.encode() for text in texts], lambda place: lines[place])
        if times is not None:
            return times
        found = [self._time(line, text) for line, text in zip(lines, texts, strict=True)]
        times = np.array([time.time_ms for time in found], dtype=np.int64)
        naive = np.array([not time.has_zone for time in found], dtype=np.bool_)
        if naive.all():
            return self._in_order(self._utc(times, lambda place: lines[place]))
        for place in range(len(times)):
            if naive[place]:
                one = slice(place, place + 1)
                times[one] = self._utc(times[one], lambda _, line=lines[place]: line)  # type: ignore[misc]
            self.last_ms = int(times[place])
        return times

    def _of_one_form(self, texts: list[bytes], line_of: Callable[[int], int]) -> Int64s | None:
        """Read times that are all of one form, and of the file's unit; None where they are not."""
        times = read_times(texts)
        if times is None or (self.is_read and times.unit is not self.unit):
            return None
        self.is_read, self.unit = True, times.unit
        if times.has_zone:
            return self._in_order(times.time_ms)
        return self._in_order(self._utc(times.time_ms, line_of))

    def _time(self, line: int, text: str) -> FileTime:
        try:
            found = read_time(text)
        except ValueError:
            raise self.rows.error(line, f"{printable(text, 40)} is not a time") from None
        if not 0 <= found.time_ms < LATEST_MS:
            raise self.rows.error(line, f"{printable(text, 40)} is not a time of our days")
        if self.is_read and found.unit is not self.unit:
            what = f"{text} counts {found.unit}" if found.unit else f"{text} is a date"
            before = f"count {self.unit}" if self.unit else "are dates"
            raise self.rows.error(line, f"the time {what}, and those before {before}")
        self.is_read, self.unit = True, found.unit
        return found

    def _in_order(self, times: Int64s) -> Int64s:
        if len(times):
            self.last_ms = int(times[-1])
        return times

    def _utc(self, walls: Int64s, line_of: Callable[[int], int]) -> Int64s:
        first, second = self.clock.readings(walls)
        if first is second:
            return first
        never = np.flatnonzero(second < first)
        if len(never):
            place = int(never[0])
            shown = str(np.datetime64(int(walls[place]), "ms"))[:19]
            raise self.rows.error(
                line_of(place),
                f"{shown} never was on the clock {self.clock.name}",
                "check the time zone that you gave",
            )
        return self._told_apart(first, second)

    def _told_apart(self, first: Int64s, second: Int64s) -> Int64s:
        """Take the second of two moments where the file would go back a long way otherwise."""
        times, last_ms = first.copy(), self.last_ms
        # Ticks may go back a little by themselves; a candle may not even be as late as another.
        least = 0 if self.rows.layout.is_candles else _TICKS_GO_BACK_MS + 1
        for place in np.flatnonzero(first != second).tolist():
            before = int(times[place - 1]) if place else last_ms
            if times[place] <= before - least:
                times[place] = second[place]
        return times
