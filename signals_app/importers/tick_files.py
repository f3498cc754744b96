"""Tick files, read as the gateway would have stored them: the same filter, the same numbering."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from mt5_bridge.files.containers import rereadable
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.tick_files import TickFile, open_tick_file
from mt5_bridge.protocol.quote_filter import LastGood, QuoteFilter
from signals_app.market.tick import Ticks

__all__ = ("MarketFileError", "open_ticks", "read_ticks", "rereadable")

log = logging.getLogger(__name__)


def open_ticks(
    path: str | Path,
    *,
    symbol: str,
    source_timezone: str = "utc",
    default_spread: float | None = None,
    digits: int | None = None,
) -> TickFile:
    """Recognise a file of ticks; `assumed` of the result says how it is understood.

    Raises `MarketFileError`. ``digits`` and ``default_spread`` (price) matter for files of candles.
    """
    return open_tick_file(
        path,
        symbol,
        source_timezone=source_timezone,
        digits=digits,
        default_spread=default_spread,
    )


def read_ticks(
    path: str | Path,
    *,
    symbol: str,
    source_timezone: str = "utc",
    default_spread: float | None = None,
    digits: int | None = None,
    on_read: Callable[[int], None] = lambda _: None,
    on_refused: Callable[[int], None] = lambda _: None,
) -> Iterator[Ticks]:
    """Yield a file's ticks, numbered from 1, some ten thousands at a time.

    Raises `MarketFileError` at the first fault of the file. Only a jump of the price is no fault:
    the gateway refuses such a tick and goes on, and so it is left out here too. ``on_read`` is
    called before each run of ticks with the number of the file's bytes that are read, and
    ``on_refused`` with how many ticks were left out of it.
    """
    opened = open_ticks(
        path,
        symbol=symbol,
        source_timezone=source_timezone,
        default_spread=default_spread,
        digits=digits,
    )
    quote_filter, last, ordinal = QuoteFilter(), LastGood(), 0
    for quotes in opened.quotes(on_read):
        checked = quote_filter.check(quotes, last)
        if checked.refusals:
            on_refused(len(checked.refusals))
        for refusal in checked.refusals[:1]:
            log.warning("%s: %d ticks left out: %s", path, len(checked.refusals), refusal.text)
        good, last = checked.quotes, checked.last
        yield Ticks(ordinal + 1, good.time_ms, good.bid, good.ask)
        ordinal += len(good)
