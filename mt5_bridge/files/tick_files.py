"""Files of ticks, and files of M1 candles that stand in for them, as runs of quotes in UTC."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mt5_bridge.files.broker_time import BrokerClock, UnknownTimezoneError, clock_named
from mt5_bridge.files.candle_reader import CandleReader
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.layout import describe_times, parse_header
from mt5_bridge.files.price_form import (
    PRICE_FORMS,
    PriceForm,
    SpreadForm,
    price_form,
    spread_form,
)
from mt5_bridge.files.quote_reader import QuoteReader
from mt5_bridge.files.rows import RowParser
from mt5_bridge.files.text_files import read_header
from mt5_bridge.protocol.quote_filter import LastGood, QuoteFilter
from mt5_bridge.protocol.quotes import Quotes


@dataclass(frozen=True, slots=True)
class TickFileSummary:
    """What a whole file holds. Times are Unix milliseconds; `assumed` is a sentence for people.

    `jumps` of its `ticks` are refused for a jump of the price.
    """

    path: Path
    ticks: int
    first_time_ms: int
    last_time_ms: int
    assumed: str
    jumps: int = 0

    @property
    def understood(self) -> str:
        """How the file is understood, and how many of its ticks will be refused."""
        if not self.jumps:
            return self.assumed
        return f"{self.assumed}; {self.jumps:,} ticks jump by over 20 % and are left out"


@dataclass(frozen=True, slots=True)
class TickFile:
    """A file whose header has been read; nothing of it stays in memory.

    `assumed` says in a sentence how its times and prices are understood.
    """

    path: Path
    assumed: str
    _rows: RowParser
    _spreads: SpreadForm | None = None

    @property
    def is_of_candles(self) -> bool:
        """Whether it holds M1 candles, each of which is four quotes."""
        return self._rows.layout.is_candles

    def quotes(self, on_read: Callable[[int], None] = lambda _: None) -> Iterator[Quotes]:
        """Yield all quotes in file order, some ten thousands at a time; raises `MarketFileError`.

        ``on_read`` gets, before each run, how many of the file's bytes are read.

        A quote that breaks a rule of `QuoteFilter` ends the reading, but for a jump of the price:
        one tick cannot tell a market that crashed from a broken line.
        """
        any_quotes = False
        for quotes in QuoteReader(self._rows, self._spreads).quotes(on_read):
            any_quotes = any_quotes or len(quotes) > 0
            yield quotes
        if not any_quotes:
            raise MarketFileError(f"{self.path} has a header but no tick; give a file with ticks")


def open_tick_file(
    path: str | Path,
    symbol: str | None = None,
    *,
    source_timezone: str = "utc",
    digits: int | None = None,
    default_spread: float | None = None,
) -> TickFile:
    """The file at ``path``, recognised by its header; raises `MarketFileError`.

    Times that do not say their zone are on the clock ``source_timezone``. ``digits`` and
    ``default_spread`` (price) matter for candles; without them they are those of ``symbol``, which
    is by default what the file's name begins with.
    """
    path = Path(path)
    clock = file_clock(path, source_timezone)
    rows = RowParser(path, parse_header(path, read_header(path)), clock)
    assumed = describe_times(rows.layout, clock, rows.first_time())
    if not rows.layout.is_candles:
        return TickFile(path, assumed, rows)
    known = PRICE_FORMS.get((symbol or symbol_of(path) or "").upper())
    spreads = _spreads(rows, price_form(path, symbol, known, digits, default_spread))
    assumed += "; each M1 candle stands for four ticks (open, low and high, close); "
    return TickFile(path, assumed + spreads.describe(), rows, spreads)


def file_clock(path: Path, source_timezone: str) -> BrokerClock:
    """The clock of that name; raises `MarketFileError`."""
    try:
        return clock_named(source_timezone)
    except UnknownTimezoneError as error:
        raise MarketFileError(f"{path}: {error}") from None


def _spreads(rows: RowParser, form: PriceForm) -> SpreadForm:
    """Read the file for what its spreads mean, if it has any."""
    if "spread" not in rows.layout.columns:
        return spread_form(form, [], 0)
    reader = CandleReader(rows)
    written = [candles.spread for candles in reader.candles() if candles.spread is not None]
    return spread_form(form, written, reader.decimals)


def check_file(
    path: str | Path,
    symbol: str | None = None,
    *,
    source_timezone: str = "utc",
    digits: int | None = None,
    default_spread: float | None = None,
) -> TickFileSummary:
    """Read the whole file and return what it holds; raises `MarketFileError` at the first fault."""
    opened = open_tick_file(
        path,
        symbol,
        source_timezone=source_timezone,
        digits=digits,
        default_spread=default_spread,
    )
    ticks, first, last, jumps = 0, 0, 0, 0
    quote_filter, good = QuoteFilter(), LastGood()
    for quotes in opened.quotes():
        checked = quote_filter.check(quotes, good)
        good, jumps = checked.last, jumps + len(checked.refusals)
        if ticks == 0 and len(quotes):
            first = int(quotes.time_ms[0])
        ticks += len(quotes)
        last = max(last, int(quotes.time_ms.max(initial=0)))
    return TickFileSummary(opened.path, ticks, first, last, opened.assumed, jumps)


def symbol_of(path: str | Path) -> str | None:
    """The symbol that a file's name begins with (`XAUUSD_ticks.csv.gz`), or None."""
    found = re.match(r"[A-Z]{6}(?=[_.\- ])", Path(path).name)
    return found[0] if found else None
