"""Reads the rows of a tick file as quotes, block by block, and refuses what breaks a rule."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from mt5_bridge.files.text_files import TickFileError
from mt5_bridge.files.tick_layout import Layout
from mt5_bridge.files.tick_rows import LATEST_MS, Int64s, RowParser
from mt5_bridge.protocol.quote_filter import BadTick, LastGood, QuoteFilter
from mt5_bridge.protocol.quotes import Quotes, quantise

Float64s: TypeAlias = NDArray[np.float64]

_MINUTE_MS = 60_000
_EXPANSION_MS = np.array([0, 15_000, 30_000, 45_000], dtype=np.int64)
# One tick cannot tell a market that crashed from a broken line: the stream's filter decides.
_PASSED_ON = frozenset({BadTick.JUMP})


@dataclass(slots=True)
class QuoteReader:
    """One pass over a file: remembers the last quote, for the rules and for unchanged prices."""

    rows: RowParser
    last: LastGood = field(default_factory=LastGood)
    last_bid: float | None = None
    last_ask: float | None = None
    quote_filter: QuoteFilter = field(default_factory=QuoteFilter)

    @property
    def layout(self) -> Layout:
        return self.rows.layout

    def quotes(self, on_read: Callable[[int], None]) -> Iterator[Quotes]:
        """Yield the quotes of each block; raises `TickFileError` at the first bad one."""
        for line, block in self.rows.bodies(on_read):
            if self.layout.is_candles:
                yield self._candles(line, block)
            else:
                quotes = self._plain_ticks(line, block) if self.layout.is_plain else None
                yield self._ticks(line, block) if quotes is None else quotes

    def _plain_ticks(self, line: int, block: bytes) -> Quotes | None:
        """The block's quotes, read at once as JSON numbers; None where a row is unusual.

        The other way of reading then finds out whether it is a fault.
        """
        body = block.strip()
        width, columns = self.layout.width, self.layout.columns
        try:
            values = _NUMBERS.decode(b"[%b]" % body.replace(b"\n", b","))
        except (msgspec.DecodeError, UnicodeError):
            return None
        if len(values) != width * (body.count(b"\n") + 1) or block[:1].isspace():
            return None
        table = np.array(values, dtype=np.float64).reshape(-1, width)
        times = table[:, columns["timestamp_ms"]]
        # A short row followed by a long one would shift the columns: no price is that high.
        if not np.all((times > 1e9) & (times < LATEST_MS) & (times % 1 == 0)):
            return None
        quotes = Quotes(
            self.rows.clock.to_utc(times.astype(np.int64)),
            np.ascontiguousarray(table[:, columns["bid"]]),
            np.ascontiguousarray(table[:, columns["ask"]]),
            *(
                np.ascontiguousarray(table[:, columns[name]]) if name in columns else None
                for name in ("last", "volume")
            ),
        )
        self._check_rules(quotes, lambda place: line + place)
        return quotes

    def _ticks(self, line: int, block: bytes) -> Quotes:
        columns = self.layout.columns
        bid_at, ask_at = columns["bid"], columns["ask"]
        optional = [columns.get(name, -1) for name in ("last", "volume")]
        lines, walls, zoned, found = [], [], [], []
        for number, cells in self.rows.cells(line, block):
            self.last_bid = self.rows.number(number, cells, bid_at, self.last_bid)
            self.last_ask = self.rows.number(number, cells, ask_at, self.last_ask)
            if self.last_bid is None or self.last_ask is None:
                continue
            wall_ms, has_zone = self.rows.time(number, cells)
            lines.append(number)
            walls.append(wall_ms)
            zoned.append(has_zone)
            extra = [
                self.rows.number(number, cells, place, None) if place >= 0 else None
                for place in optional
            ]
            found.append((self.last_bid, self.last_ask, *extra))
        bid, ask, last, volume = zip(*found, strict=True) if found else ((), (), (), ())
        quotes = Quotes(
            self.rows.utc(walls, zoned),
            np.array(bid, dtype=np.float64),
            np.array(ask, dtype=np.float64),
            None if last.count(None) == len(last) else np.array(last, dtype=np.float64),
            None if volume.count(None) == len(volume) else np.array(volume, dtype=np.float64),
        )
        self._check_rules(quotes, lambda place: lines[place])
        return quotes

    def _candles(self, line: int, block: bytes) -> Quotes:
        columns = self.layout.columns
        places = [columns[name] for name in ("open", "high", "low", "close")]
        spread_at, unit = columns.get("spread", -1), self.layout.spread_unit
        lines, walls, zoned, found = [], [], [], []
        for number, cells in self.rows.cells(line, block):
            wall_ms, has_zone = self.rows.time(number, cells)
            prices = [self.rows.price(number, cells, place) for place in places]
            spread = self.rows.number(number, cells, spread_at, None) if spread_at >= 0 else None
            spread = self.layout.default_spread if spread is None else spread * unit
            if not prices[2] <= min(prices[0], prices[3]) <= max(prices[0], prices[3]) <= prices[1]:
                raise self.rows.error(number, "the open and the close are not between low and high")
            lines.append(number)
            walls.append(wall_ms)
            zoned.append(has_zone)
            found.append((*prices, spread))
        times = self.rows.utc(walls, zoned)
        self._check_candle_length(times)
        quotes = _expand(times, np.array(found, dtype=np.float64).reshape(-1, 5))
        self._check_rules(quotes, lambda place: lines[place // 4])
        return quotes

    def _check_candle_length(self, times: Int64s) -> None:
        if len(times) < 3:
            return
        shortest = int(np.diff(times).min())
        if shortest >= 5 * _MINUTE_MS:
            raise TickFileError(
                f"{self.rows.path} holds candles of {shortest // _MINUTE_MS} minutes; "
                "only M1 candles can stand in for ticks"
            )

    def _check_rules(self, quotes: Quotes, line_of: Callable[[int], int]) -> None:
        checked = self.quote_filter.check(quotes, self.last)
        for refusal in checked.refusals:
            if refusal.reason not in _PASSED_ON:
                raise self.rows.error(line_of(refusal.place), refusal.text)
        self.last = checked.last


_NUMBERS = msgspec.json.Decoder(list[float])


def _expand(times: Int64s, rows: Float64s) -> Quotes:
    """Return four ticks for each candle (open, high, low, close, spread), as MT5's tester does."""
    opens, highs, lows, closes, spreads = rows.T
    rising = closes >= opens
    bids = np.column_stack(
        (opens, np.where(rising, lows, highs), np.where(rising, highs, lows), closes)
    )
    return Quotes(
        (times[:, None] + _EXPANSION_MS).ravel(),
        bids.ravel(),
        quantise(bids + spreads[:, None]).ravel(),
    )
