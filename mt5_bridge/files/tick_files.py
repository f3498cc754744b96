"""Files of ticks, and files of M1 candles that stand in for them, as runs of quotes in UTC."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from mt5_bridge.files.broker_time import BrokerClock, UnknownTimezoneError, clock_named
from mt5_bridge.files.text_files import TickFileError, blocks, has_zone, read_time
from mt5_bridge.protocol.quote_filter import BadTick, LastGood, QuoteFilter
from mt5_bridge.protocol.quotes import Quotes, quantise

Int64s: TypeAlias = NDArray[np.int64]
Float64s: TypeAlias = NDArray[np.float64]

_MINUTE_MS = 60_000
_EXPANSION_MS = np.array([0, 15_000, 30_000, 45_000], dtype=np.int64)
_NO_JUMP_RULE = frozenset({BadTick.JUMP})
_LATEST_MS = 7_258_118_400_000  # the year 2200: beyond it the column holds something else


@dataclass(frozen=True, slots=True)
class PriceForm:
    """How a symbol is quoted: the decimals of one point, and the spread (price) for lack of any."""

    digits: int
    default_spread: float


PRICE_FORMS: Final = {
    "XAUUSD": PriceForm(2, 0.30),
    "EURUSD": PriceForm(5, 0.00010),
    "GBPUSD": PriceForm(5, 0.00010),
    "USDCAD": PriceForm(5, 0.00010),
}


@dataclass(frozen=True, slots=True)
class Summary:
    """What a whole file holds. Times are Unix milliseconds; `assumed` is a sentence for people."""

    path: Path
    ticks: int
    first_time_ms: int
    last_time_ms: int
    assumed: str


@dataclass(frozen=True, slots=True)
class TickFile:
    """A file whose header has been read; nothing of it stays in memory.

    `assumed` says in a sentence how its times and prices are understood.
    """

    path: Path
    assumed: str
    _layout: "_Layout"
    _clock: BrokerClock

    @property
    def is_of_candles(self) -> bool:
        """Return whether it holds M1 candles, each of which is four quotes."""
        return self._layout.is_candles

    def quotes(self, on_read: Callable[[int], None] = lambda _: None) -> Iterator[Quotes]:
        """Yield all quotes in file order, some ten thousands at a time; raises `TickFileError`.

        ``on_read`` is told before each run how many of the file's bytes are read.

        A quote that breaks a rule of `QuoteFilter` ends the reading, but for a jump of the price:
        one tick cannot tell a market that crashed from a broken line.
        """
        reader = _Reader(self.path, self._layout, self._clock)
        any_quotes = False
        for quotes in reader.chunks(on_read):
            any_quotes = any_quotes or len(quotes) > 0
            yield quotes
        if not any_quotes:
            raise TickFileError(f"{self.path} has a header but no tick; give a file with ticks")


def open_tick_file(
    path: str | Path,
    symbol: str | None = None,
    *,
    source_timezone: str = "utc",
    digits: int | None = None,
    default_spread: float | None = None,
) -> TickFile:
    """Return the file at ``path``, recognised by its header; raises `TickFileError`.

    Times that do not say their zone are on the clock ``source_timezone``. ``digits`` and
    ``default_spread`` (price) matter for candles; without them they are those of ``symbol``, which
    is by default what the file's name begins with.
    """
    path = Path(path)
    try:
        clock = clock_named(source_timezone)
    except UnknownTimezoneError as error:
        raise TickFileError(f"{path}: {error}") from None
    header = _header(path)
    layout = _layout(path, header)
    if layout.is_candles:
        form = _price_form(path, symbol, digits, default_spread)
        in_points = "spread" in layout.columns and _all_integers(path, layout)
        layout = _with_spread(layout, form, in_points=in_points)
    first_time = next(_Reader(path, layout, clock).time_texts(), "")
    return TickFile(path, _assumed(layout, clock, first_time), layout, clock)


def check_file(
    path: str | Path,
    symbol: str | None = None,
    *,
    source_timezone: str = "utc",
    digits: int | None = None,
    default_spread: float | None = None,
) -> Summary:
    """Read the whole file and return what it holds; raises `TickFileError` at the first fault."""
    opened = open_tick_file(
        path,
        symbol,
        source_timezone=source_timezone,
        digits=digits,
        default_spread=default_spread,
    )
    ticks, first, last = 0, 0, 0
    for quotes in opened.quotes():
        if ticks == 0 and len(quotes):
            first = int(quotes.time_ms[0])
        ticks += len(quotes)
        last = max(last, int(quotes.time_ms.max(initial=0)))
    return Summary(opened.path, ticks, first, last, opened.assumed)


def symbol_of(path: str | Path) -> str | None:
    """Return the symbol that a file's name begins with (`XAUUSD_ticks.csv.gz`), or None."""
    found = re.match(r"[A-Z]{6}(?=[_.\- ])", Path(path).name)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the columns of a file are.

    `columns` gives the place of each known column by its plain name. For candles, `spread_unit` is
    the price of 1 in the column `spread`, and `default_spread` stands in for an empty one.
    """

    delimiter: str
    width: int
    columns: dict[str, int]
    is_candles: bool
    spread_unit: float = 1.0
    default_spread: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Return whether every value is a number, so that whole blocks can be read at once."""
        return self.delimiter == "," and "timestamp_ms" in self.columns and not self.is_candles


_SYNONYMS: Final = {
    "time_msc": "timestamp_ms",
    "datetime": "timestamp",
    "date_time": "timestamp",
    "gmt time": "timestamp",
    "real_volume": "vol",
    "tick_volume": "tickvol",
}
_FORMS: Final = (
    "the header must be timestamp_ms,bid,ask[,last,volume], or MetaTrader 5's export of ticks, or "
    "candles: timestamp,open,high,low,close[,volume,spread]"
)


def _header(path: Path) -> str:
    for _, block in blocks(path):
        line = block.split(b"\n", 1)[0]
        return line.decode("utf-8-sig", errors="replace").strip("\r\n ")
    raise TickFileError(f"{path} is empty; give a file with ticks")


def _layout(path: Path, header: str) -> _Layout:
    delimiter = next((mark for mark in "\t;" if mark in header), ",")
    names = [name.strip().strip('<>"').lower() for name in header.split(delimiter)]
    names = [_SYNONYMS.get(name, name) for name in names]
    columns = {name: place for place, name in reversed(list(enumerate(names)))}
    if not columns.keys() & {"timestamp_ms", "timestamp", "time", "date"}:
        raise TickFileError(f"{path}, line 1 is {header[:60]!r}; {_FORMS}")
    if {"bid", "ask"} <= columns.keys():
        return _Layout(delimiter, len(names), columns, is_candles=False)
    if {"open", "high", "low", "close"} <= columns.keys():
        return _Layout(delimiter, len(names), columns, is_candles=True)
    raise TickFileError(f"{path}, line 1 is {header[:60]!r}; {_FORMS}")


def _price_form(
    path: Path, symbol: str | None, digits: int | None, default_spread: float | None
) -> PriceForm:
    known = PRICE_FORMS.get((symbol or symbol_of(path) or "").upper())
    digits = digits if digits is not None else known.digits if known else None
    spread = default_spread
    if spread is None and known:
        spread = known.default_spread
    if digits is None or spread is None:
        raise TickFileError(
            f"{path} holds candles of {symbol or 'a symbol that its name does not begin with'}; "
            "give the symbol's digits and its default spread"
        )
    return PriceForm(digits, spread)


def _all_integers(path: Path, layout: _Layout) -> bool:
    """Return whether the spread column holds whole numbers only, which then are points.

    The whole column decides: among spreads in price a round 1 is one dollar, not one point.
    """
    place = layout.columns["spread"]
    for first_line, block in blocks(path):
        lines = block.decode(errors="replace").splitlines()[1 if first_line == 1 else 0 :]
        for line in lines:
            cells = line.split(layout.delimiter)
            text = cells[place].strip() if place < len(cells) else ""
            if text and not text.isdigit():
                return False
    return True


def _with_spread(layout: _Layout, form: PriceForm, *, in_points: bool) -> _Layout:
    return _Layout(
        layout.delimiter,
        layout.width,
        layout.columns,
        is_candles=True,
        spread_unit=10.0**-form.digits if in_points else 1.0,
        default_spread=form.default_spread,
    )


def _assumed(layout: _Layout, clock: BrokerClock, first_time: str) -> str:
    told = []
    if has_zone(first_time):
        told.append("times are read as their own zone says")
    elif "timestamp_ms" in layout.columns and clock.name == "utc":
        told.append("times are Unix milliseconds, UTC")
    else:
        told.append(f"times are taken for {clock.explanation}")
    if layout.is_candles:
        told.append("each M1 candle stands for four ticks (open, low and high, close)")
        if "spread" not in layout.columns:
            told.append(f"the spread is {layout.default_spread:g}")
        elif layout.spread_unit == 1.0:
            told.append("the spread column is in price")
        else:
            told.append(f"the spread column is in points of {layout.spread_unit:g}")
    return "; ".join(told)


@dataclass(slots=True)
class _Reader:
    """One pass over a file: remembers the last quote, for the rules and for unchanged prices."""

    path: Path
    layout: _Layout
    clock: BrokerClock
    last: LastGood = field(default_factory=LastGood)
    last_bid: float | None = None
    last_ask: float | None = None
    quote_filter: QuoteFilter = field(default_factory=QuoteFilter)

    def chunks(self, on_read: Callable[[int], None]) -> Iterator[Quotes]:
        """Yield the quotes of each block; raises `TickFileError` at the first bad one."""
        for line, block in self._bodies(on_read):
            if self.layout.is_candles:
                yield self._candles(line, block)
            else:
                quotes = self._plain_ticks(line, block) if self.layout.is_plain else None
                yield self._ticks(line, block) if quotes is None else quotes

    def time_texts(self) -> Iterator[str]:
        """Yield the text of each row's time."""
        for _, block in self._bodies():
            for text in block.decode(errors="replace").splitlines():
                if text.strip():
                    yield self._time_text(text.split(self.layout.delimiter))

    def _bodies(
        self, on_read: Callable[[int], None] = lambda _: None
    ) -> Iterator[tuple[int, bytes]]:
        for line, block in blocks(self.path, on_read):
            if line > 1:
                yield line, block
            elif body := block.partition(b"\n")[2]:
                yield 2, body

    def _plain_ticks(self, line: int, block: bytes) -> Quotes | None:
        """Return the block's quotes, read at once as JSON numbers; None where a row is unusual.

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
        if not np.all((times > 1e9) & (times < _LATEST_MS) & (times % 1 == 0)):
            return None
        quotes = Quotes(
            self.clock.to_utc(times.astype(np.int64)),
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
        lines, walls, zoned, rows = [], [], [], []
        for number, cells in self._cells(line, block):
            self.last_bid = self._number(number, cells, bid_at, self.last_bid)
            self.last_ask = self._number(number, cells, ask_at, self.last_ask)
            if self.last_bid is None or self.last_ask is None:
                continue
            wall_ms, has_zone = self._time(number, cells)
            lines.append(number)
            walls.append(wall_ms)
            zoned.append(has_zone)
            extra = [
                self._number(number, cells, place, None) if place >= 0 else None
                for place in optional
            ]
            rows.append((self.last_bid, self.last_ask, *extra))
        bid, ask, last, volume = zip(*rows, strict=True) if rows else ((), (), (), ())
        quotes = Quotes(
            self._utc(walls, zoned),
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
        lines, walls, zoned, rows = [], [], [], []
        for number, cells in self._cells(line, block):
            wall_ms, has_zone = self._time(number, cells)
            prices = [self._price(number, cells, place) for place in places]
            spread = self._number(number, cells, spread_at, None) if spread_at >= 0 else None
            spread = self.layout.default_spread if spread is None else spread * unit
            if not prices[2] <= min(prices[0], prices[3]) <= max(prices[0], prices[3]) <= prices[1]:
                raise self._error(number, "the open and the close are not between low and high")
            lines.append(number)
            walls.append(wall_ms)
            zoned.append(has_zone)
            rows.append((*prices, spread))
        times = self._utc(walls, zoned)
        self._check_candle_length(times)
        quotes = _expand(times, np.array(rows, dtype=np.float64).reshape(-1, 5))
        self._check_rules(quotes, lambda place: lines[place // 4])
        return quotes

    def _cells(self, line: int, block: bytes) -> Iterator[tuple[int, Sequence[str]]]:
        delimiter, width = self.layout.delimiter, self.layout.width
        for number, text in enumerate(block.decode(errors="replace").split("\n"), line):
            if not text or text.isspace():
                continue
            cells = text.rstrip("\r").split(delimiter)
            if len(cells) != width:
                what = f"{len(cells)} columns where the header has {width}"
                raise self._error(number, what)
            yield number, cells

    def _number(
        self, line: int, cells: Sequence[str], place: int, empty: float | None
    ) -> float | None:
        text = cells[place]
        try:
            return float(text)
        except ValueError:
            if not text.strip():
                return empty
            name = next(name for name, at in self.layout.columns.items() if at == place)
            raise self._error(line, f"{text[:40]!r} in column {name} is not a number") from None

    def _price(self, line: int, cells: Sequence[str], place: int) -> float:
        price = self._number(line, cells, place, None)
        if price is None:
            raise self._error(line, "a price is missing")
        if not 0 < price < float("inf"):
            raise self._error(line, f"the price {price} is not a positive number")
        return price

    def _time(self, line: int, cells: Sequence[str]) -> tuple[int, bool]:
        """Return a row's time in milliseconds, and whether it said its zone and so is UTC."""
        text = self._time_text(cells)
        try:
            found = read_time(text)
        except ValueError:
            raise self._error(line, f"{text[:40]!r} is not a time") from None
        if not 0 < found[0] < _LATEST_MS:
            raise self._error(line, f"{text[:40]!r} is not a time of our days")
        return found

    def _time_text(self, cells: Sequence[str]) -> str:
        columns = self.layout.columns
        for name in ("timestamp_ms", "timestamp"):
            if name in columns and columns[name] < len(cells):
                return cells[columns[name]].strip()
        named = [columns[name] for name in ("date", "time") if name in columns]
        return " ".join(cells[place].strip() for place in named if place < len(cells))

    def _utc(self, walls: list[int], zoned: list[bool]) -> Int64s:
        times = np.array(walls, dtype=np.int64)
        if not len(times) or all(zoned):
            return times
        own_zone = np.array(zoned, dtype=np.bool_)
        return np.where(own_zone, times, self.clock.to_utc(times))

    def _check_candle_length(self, times: Int64s) -> None:
        if len(times) < 3:
            return
        shortest = int(np.diff(times).min())
        if shortest >= 5 * _MINUTE_MS:
            raise TickFileError(
                f"{self.path} holds candles of {shortest // _MINUTE_MS} minutes; only M1 candles "
                "can stand in for ticks"
            )

    def _check_rules(self, quotes: Quotes, line_of: Callable[[int], int]) -> None:
        checked = self.quote_filter.check(quotes, self.last)
        for refusal in checked.refusals:
            if refusal.reason not in _NO_JUMP_RULE:
                raise self._error(line_of(refusal.place), refusal.text)
        self.last = checked.last

    def _error(self, line: int, what: str) -> TickFileError:
        return TickFileError(f"{self.path}, line {line}: {what}; correct or remove that line")


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
