"""Reads the rows of a tick file as quotes, block by block, and refuses what breaks a rule."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.files.candle_reader import CandleColumns, CandleReader
from mt5_bridge.files.layout import Layout
from mt5_bridge.files.price_form import SpreadForm
from mt5_bridge.files.rows import Cells, RowParser, TimeColumn, numbers
from mt5_bridge.files.timeframes import MINUTE_MS, TimeframeCheck
from mt5_bridge.protocol.quote_filter import BadTick, LastGood, QuoteFilter
from mt5_bridge.protocol.quotes import Quotes, quantise

Float64s: TypeAlias = NDArray[np.float64]

_EXPANSION_MS = np.array([0, 15_000, 30_000, 45_000], dtype=np.int64)
# One tick cannot tell a market that crashed from a broken line: the stream's filter decides.
_PASSED_ON = frozenset({BadTick.JUMP})


@dataclass(slots=True)
class QuoteReader:
    """One pass over a file: remembers the last quote, for the rules and for unchanged prices.

    ``spreads`` says what the spreads of a candle file mean.
    """

    rows: RowParser
    spreads: SpreadForm | None = None
    last: LastGood = field(default_factory=LastGood)
    last_bid: float | None = None
    last_ask: float | None = None
    quote_filter: QuoteFilter = field(default_factory=QuoteFilter)
    times: TimeColumn = field(init=False)

    def __post_init__(self) -> None:
        self.times = TimeColumn(self.rows)

    @property
    def layout(self) -> Layout:
        return self.rows.layout

    def quotes(self, on_read: Callable[[int], None]) -> Iterator[Quotes]:
        """Yield the quotes of each block; raises `MarketFileError` at the first bad one."""
        if self.layout.is_candles:
            yield from self._quotes_of_candles(on_read)
            return
        for line, block in self.rows.bodies(on_read):
            columns = self.rows.columns(block)
            quotes = self._at_once(line, columns) if columns is not None else None
            yield self._one_by_one(line, block) if quotes is None else quotes

    def _at_once(self, line: int, columns: Cells) -> Quotes | None:
        """The block's quotes; None where a row is written in an unusual way.

        The other way of reading then finds out whether it is a fault.
        """
        places = self.layout.columns
        found = {
            name: numbers(columns[places[name]])
            for name in ("bid", "ask", "last", "volume")
            if name in places
        }
        bid, ask = found["bid"], found["ask"]
        if bid is None or ask is None or any(column is None for column in found.values()):
            return None
        times = self.times.at_once(line, columns)
        if times is None:
            return None
        quotes = Quotes(times, bid, ask, found.get("last"), found.get("volume"))
        self._check_rules(quotes, lambda place: line + place)
        if len(quotes):
            self.last_bid, self.last_ask = float(bid[-1]), float(ask[-1])
        return quotes

    def _one_by_one(self, line: int, block: bytes) -> Quotes:
        columns = self.layout.columns
        bid_at, ask_at = columns["bid"], columns["ask"]
        optional = [columns.get(name, -1) for name in ("last", "volume")]
        lines, texts, found = [], [], []
        for number, cells in self.rows.cells(line, block):
            self.last_bid = self.rows.number(number, cells, bid_at, self.last_bid)
            self.last_ask = self.rows.number(number, cells, ask_at, self.last_ask)
            if self.last_bid is None or self.last_ask is None:
                continue
            lines.append(number)
            texts.append(self.rows.time_text(cells))
            extra = [
                self.rows.number(number, cells, place, None) if place >= 0 else None
                for place in optional
            ]
            found.append((self.last_bid, self.last_ask, *extra))
        bid, ask, last, volume = zip(*found, strict=True) if found else ((), (), (), ())
        quotes = Quotes(
            self.times.one_by_one(lines, texts),
            np.array(bid, dtype=np.float64),
            np.array(ask, dtype=np.float64),
            None if last.count(None) == len(last) else np.array(last, dtype=np.float64),
            None if volume.count(None) == len(volume) else np.array(volume, dtype=np.float64),
        )
        self._check_rules(quotes, lambda place: lines[place])
        return quotes

    def _quotes_of_candles(self, on_read: Callable[[int], None]) -> Iterator[Quotes]:
        assert self.spreads is not None
        check = TimeframeCheck(self.rows.path, MINUTE_MS)
        for candles in CandleReader(self.rows).candles(on_read):
            check.add(candles.time_ms, candles.lines.__getitem__)
            check.finish()
            yield _expand(candles, self.spreads.in_price(candles.spread, len(candles)))

    def _check_rules(self, quotes: Quotes, line_of: Callable[[int], int]) -> None:
        self.rows.refuse_off_grid(line_of, quotes.bid, quotes.ask)
        checked = self.quote_filter.check(quotes, self.last)
        for refusal in checked.refusals:
            if refusal.reason not in _PASSED_ON:
                raise self.rows.error(line_of(refusal.place), refusal.text)
        self.last = checked.last


def _expand(candles: CandleColumns, spreads: Float64s) -> Quotes:
    """Four ticks for each candle, as MT5's tester does."""
    rising = candles.close >= candles.open
    bids = np.column_stack(
        (
            candles.open,
            np.where(rising, candles.low, candles.high),
            np.where(rising, candles.high, candles.low),
            candles.close,
        )
    )
    return Quotes(
        (candles.time_ms[:, None] + _EXPANSION_MS).ravel(),
        bids.ravel(),
        quantise(bids + spreads[:, None]).ravel(),
    )
