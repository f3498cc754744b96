"""Files of ticks, and files of M1 candles that stand in for them, as runs of quotes in UTC."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mt5_bridge.files.broker_time import UnknownTimezoneError, clock_named
from mt5_bridge.files.quote_reader import QuoteReader
from mt5_bridge.files.text_files import TickFileError
from mt5_bridge.files.tick_layout import (
    PRICE_FORMS,
    describe,
    has_whole_spreads,
    parse_header,
    price_form,
    read_header,
    with_spread,
)
from mt5_bridge.files.tick_rows import RowParser
from mt5_bridge.protocol.quotes import Quotes


@dataclass(frozen=True, slots=True)
class TickFileSummary:
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
    _rows: RowParser

    @property
    def is_of_candles(self) -> bool:
        """Whether it holds M1 candles, each of which is four quotes."""
        return self._rows.layout.is_candles

    def quotes(self, on_read: Callable[[int], None] = lambda _: None) -> Iterator[Quotes]:
        """Yield all quotes in file order, some ten thousands at a time; raises `TickFileError`.

        ``on_read`` gets, before each run, how many of the file's bytes are read.

        A quote that breaks a rule of `QuoteFilter` ends the reading, but for a jump of the price:
        one tick cannot tell a market that crashed from a broken line.
        """
        any_quotes = False
        for quotes in QuoteReader(self._rows).quotes(on_read):
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
    layout = parse_header(path, read_header(path))
    if layout.is_candles:
        known = PRICE_FORMS.get((symbol or symbol_of(path) or "").upper())
        form = price_form(path, symbol, known, digits, default_spread)
        in_points = "spread" in layout.columns and has_whole_spreads(path, layout)
        layout = with_spread(layout, form, in_points=in_points)
    rows = RowParser(path, layout, clock)
    return TickFile(path, describe(layout, clock, next(rows.time_texts(), "")), rows)


def check_file(
    path: str | Path,
    symbol: str | None = None,
    *,
    source_timezone: str = "utc",
    digits: int | None = None,
    default_spread: float | None = None,
) -> TickFileSummary:
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
    return TickFileSummary(opened.path, ticks, first, last, opened.assumed)


def symbol_of(path: str | Path) -> str | None:
    """Return the symbol that a file's name begins with (`XAUUSD_ticks.csv.gz`), or None."""
    found = re.match(r"[A-Z]{6}(?=[_.\- ])", Path(path).name)
    return found[0] if found else None
