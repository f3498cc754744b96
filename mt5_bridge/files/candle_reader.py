"""Reads the rows of a candle file as columns, block by block, and refuses what breaks a rule."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from mt5_bridge.files.layout import PRICES
from mt5_bridge.files.rows import (
    CORRECT_LINE,
    Bools,
    Cells,
    Float64s,
    Int64s,
    RowParser,
    TimeColumn,
)
from mt5_bridge.files.rows import numbers as numbers_at_once
from mt5_bridge.protocol.quotes import PRICE_DECIMALS, quantise

HIGHEST_PRICE: Final = 1e9
_DECIMALS = re.compile(rb"\.([0-9]+)")


@dataclass(frozen=True, slots=True, eq=False)
class CandleColumns:
    """Consecutive candles of a file, oldest first: times in UTC, prices on the five-decimal grid.

    `spread` is as the file has it, NaN where its cell is empty, None without such a column.
    `lines` are the numbers of their lines.
    """

    lines: Sequence[int]
    time_ms: Int64s
    open: Float64s
    high: Float64s
    low: Float64s
    close: Float64s
    volume: Float64s
    spread: Float64s | None

    def __len__(self) -> int:
        return len(self.time_ms)


@dataclass(slots=True)
class CandleReader:
    """One pass over a file of candles.

    `decimals` are the most that a price read so far was written with; it counts them only where
    the file has spreads, which may be in points.
    """

    rows: RowParser
    decimals: int = 0
    times: TimeColumn = field(init=False)
    last_ms: int = -1

    def __post_init__(self) -> None:
        self.times = TimeColumn(self.rows)

    @property
    def spread_column(self) -> int | None:
        return self.rows.layout.columns.get("spread")

    def candles(self, on_read: Callable[[int], None] = lambda _: None) -> Iterator[CandleColumns]:
        """Yield the candles of each block; raises `MarketFileError` at the first bad one."""
        for line, block in self.rows.bodies(on_read):
            columns = self.rows.columns(block)
            candles = self._at_once(line, columns) if columns is not None else None
            if candles is None:
                candles = self._one_by_one(line, block)
            if len(candles):
                yield self._checked(candles)

    def _at_once(self, line: int, columns: Cells) -> CandleColumns | None:
        """The block's candles; None where a row is written in an unusual way.

        The other way of reading then finds out whether it is a fault.
        """
        layout = self.rows.layout
        prices = [numbers_at_once(columns[layout.columns[name]]) for name in PRICES]
        extras = [
            None if place is None else numbers_at_once(columns[place])
            for place in (layout.volume_column, self.spread_column)
        ]
        if any(price is None for price in prices):
            return None
        if layout.volume_column is not None and extras[0] is None:
            return None
        if self.spread_column is not None and extras[1] is None:
            return None
        times = self.times.at_once(line, columns)
        if times is None:
            return None
        if self.spread_column is not None and self.decimals < PRICE_DECIMALS:
            self._count_decimals(columns)
        open_, high, low, close = (price for price in prices if price is not None)
        volume = np.zeros(len(times)) if extras[0] is None else extras[0]
        lines = range(line, line + len(times))
        return CandleColumns(lines, times, open_, high, low, close, volume, extras[1])

    def _count_decimals(self, columns: Cells) -> None:
        for name in PRICES:
            written = b",".join(columns[self.rows.layout.columns[name]])
            self._note_decimals(map(len, _DECIMALS.findall(written)))

    def _note_decimals(self, counts: Iterable[int]) -> None:
        # More of them are what a float left behind (2050.1200000000001), and nobody's points.
        kept = max((count for count in counts if count <= PRICE_DECIMALS), default=0)
        self.decimals = max(self.decimals, kept)

    def _one_by_one(self, line: int, block: bytes) -> CandleColumns:
        layout, rows = self.rows.layout, self.rows
        prices_at = [layout.columns[name] for name in PRICES]
        lines: list[int] = []
        texts: list[str] = []
        found: list[tuple[float, ...]] = []
        for number, cells in rows.cells(line, block):
            lines.append(number)
            texts.append(rows.time_text(cells))
            prices = [self._price(number, cells, place) for place in prices_at]
            volume = self._optional(number, cells, layout.volume_column, 0.0)
            spread = self._optional(number, cells, self.spread_column, np.nan)
            found.append((*prices, volume, spread))
            self._note_decimals(len(cells[place].strip().partition(".")[2]) for place in prices_at)
        times = self.times.one_by_one(lines, texts)
        table = np.array(found, dtype=np.float64).reshape(-1, 6)
        columns = [np.ascontiguousarray(column) for column in table.T]
        open_, high, low, close, volumes, spread_column = columns
        spreads = spread_column if self.spread_column is not None else None
        return CandleColumns(lines, times, open_, high, low, close, volumes, spreads)

    def _price(self, line: int, cells: Sequence[str], place: int) -> float:
        price = self.rows.number(line, cells, place, None)
        if price is None:
            raise self.rows.error(line, "a price is missing")
        return price

    def _optional(self, line: int, cells: Sequence[str], place: int | None, empty: float) -> float:
        found = None if place is None else self.rows.number(line, cells, place, None)
        return empty if found is None else found

    def _checked(self, candles: CandleColumns) -> CandleColumns:
        """The candles with prices on the grid; raises `MarketFileError` for a bad one."""
        open_, high, low, close = candles.open, candles.high, candles.low, candles.close
        every = np.array([open_, high, low, close])
        self._refuse(candles, ~np.all(np.isfinite(every), axis=0), "a price is not a number")
        self._refuse(candles, ~np.all(every > 0, axis=0), "a price is not a positive number")
        self._refuse(candles, every.max(axis=0) > HIGHEST_PRICE, "a price is above 1,000,000,000")
        self._refuse(candles, high < low, "high is below low")
        outside = (np.minimum(open_, close) < low) | (np.maximum(open_, close) > high)
        self._refuse(candles, outside, "the open and the close are not between low and high")
        self.rows.refuse_off_grid(lambda row: candles.lines[row], open_, high, low, close)
        self._refuse(candles, ~(candles.volume >= 0), "volume is below zero or not a number")
        self._refuse(candles, np.isinf(candles.volume), "volume is infinite")
        if candles.spread is not None:
            self._refuse(candles, candles.spread < 0, "spread is below zero")
            self._refuse(candles, np.isinf(candles.spread), "spread is infinite")
        self._refuse_wrong_order(candles)
        self.last_ms = int(candles.time_ms[-1])
        return replace(
            candles,
            open=quantise(open_),
            high=quantise(high),
            low=quantise(low),
            close=quantise(close),
        )

    def _refuse_wrong_order(self, candles: CandleColumns) -> None:
        before = np.concatenate(([self.last_ms], candles.time_ms[:-1]))
        same, earlier = candles.time_ms == before, candles.time_ms < before
        self._refuse(candles, same, "its time is that of the candle before", "remove one of them")
        self._refuse(
            candles,
            earlier,
            "its time is before that of the candle before",
            "sort the file by time",
        )

    def _refuse(
        self, candles: CandleColumns, wrong: Bools, what: str, remedy: str = CORRECT_LINE
    ) -> None:
        places = np.flatnonzero(wrong)
        if len(places):
            raise self.rows.error(candles.lines[int(places[0])], what, remedy)
