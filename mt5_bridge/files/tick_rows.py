"""The rows of a tick file: their cells, numbers and times, and where a fault stands."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.files.broker_time import BrokerClock
from mt5_bridge.files.text_files import TickFileError, blocks, read_time
from mt5_bridge.files.tick_layout import Layout

Int64s: TypeAlias = NDArray[np.int64]

LATEST_MS = 7_258_118_400_000
"""The year 2200: where times are beyond it, the column holds something else."""


@dataclass(frozen=True, slots=True)
class RowParser:
    """Takes rows apart; every fault raises a `TickFileError` that names the line."""

    path: Path
    layout: Layout
    clock: BrokerClock

    def bodies(
        self, on_read: Callable[[int], None] = lambda _: None
    ) -> Iterator[tuple[int, bytes]]:
        """Yield the file without its header in whole lines, with each part's first line number."""
        for line, block in blocks(self.path, on_read):
            if line > 1:
                yield line, block
            elif body := block.partition(b"\n")[2]:
                yield 2, body

    def time_texts(self) -> Iterator[str]:
        """Yield the text of each row's time."""
        for _, block in self.bodies():
            for text in block.decode(errors="replace").splitlines():
                if text.strip():
                    yield self._time_text(text.split(self.layout.delimiter))

    def cells(self, line: int, block: bytes) -> Iterator[tuple[int, Sequence[str]]]:
        """Yield line number and cells of each row; ``line`` is the block's first line."""
        delimiter, width = self.layout.delimiter, self.layout.width
        for number, text in enumerate(block.decode(errors="replace").split("\n"), line):
            if not text or text.isspace():
                continue
            cells = text.rstrip("\r").split(delimiter)
            if len(cells) != width:
                what = f"{len(cells)} columns where the header has {width}"
                raise self.error(number, what)
            yield number, cells

    def number(
        self, line: int, cells: Sequence[str], place: int, empty: float | None
    ) -> float | None:
        """The number in the cell at ``place``; ``empty`` where nothing stands there."""
        text = cells[place]
        try:
            return float(text)
        except ValueError:
            if not text.strip():
                return empty
            name = next(name for name, at in self.layout.columns.items() if at == place)
            raise self.error(line, f"{text[:40]!r} in column {name} is not a number") from None

    def price(self, line: int, cells: Sequence[str], place: int) -> float:
        price = self.number(line, cells, place, None)
        if price is None:
            raise self.error(line, "a price is missing")
        if not 0 < price < float("inf"):
            raise self.error(line, f"the price {price} is not a positive number")
        return price

    def time(self, line: int, cells: Sequence[str]) -> tuple[int, bool]:
        """A row's time in milliseconds, and whether it said its zone and so is UTC."""
        text = self._time_text(cells)
        try:
            found = read_time(text)
        except ValueError:
            raise self.error(line, f"{text[:40]!r} is not a time") from None
        if not 0 < found[0] < LATEST_MS:
            raise self.error(line, f"{text[:40]!r} is not a time of our days")
        return found

    def utc(self, walls: list[int], zoned: list[bool]) -> Int64s:
        """Return times in UTC; where ``zoned`` is false they are on the file's clock."""
        times = np.array(walls, dtype=np.int64)
        if not len(times) or all(zoned):
            return times
        own_zone = np.array(zoned, dtype=np.bool_)
        return np.where(own_zone, times, self.clock.to_utc(times))

    def error(self, line: int, what: str) -> TickFileError:
        return TickFileError(f"{self.path}, line {line}: {what}; correct or remove that line")

    def _time_text(self, cells: Sequence[str]) -> str:
        columns = self.layout.columns
        for name in ("timestamp_ms", "timestamp"):
            if name in columns and columns[name] < len(cells):
                return cells[columns[name]].strip()
        named = [columns[name] for name in ("date", "time") if name in columns]
        return " ".join(cells[place].strip() for place in named if place < len(cells))
