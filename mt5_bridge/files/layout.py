"""The forms of tick and candle files: which columns a header names, and whose clock it means."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mt5_bridge.files.broker_time import UTC_CLOCK, BrokerClock, UnknownTimezoneError, clock_named
from mt5_bridge.files.errors import MarketFileError, printable
from mt5_bridge.files.file_times import read_time
from mt5_bridge.files.text_files import Header

PRICES: Final = ("open", "high", "low", "close")

TICK_FORMS: Final = (
    "the header must be timestamp_ms,bid,ask[,last,volume], or MetaTrader 5's export of ticks, or "
    "candles: timestamp,open,high,low,close[,volume,spread]"
)
CANDLE_FORMS: Final = (
    "the header must be timestamp,open,high,low,close,volume, a MetaTrader 5 export "
    "(<DATE> <TIME> <OPEN> ...) or a Dukascopy export (Gmt time,Open,...)"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of a file are, by their plain names, behind the header in `header_line`.

    `clock` is the header's own, where it names one (`Gmt time`); it goes before the user's.
    """

    delimiter: str
    width: int
    columns: dict[str, int]
    is_candles: bool
    header_line: int = 1
    clock: BrokerClock | None = None

    @property
    def time_columns(self) -> list[int]:
        """The places of the time: one, or those of date and time of day."""
        for name in ("timestamp_ms", "timestamp"):
            if name in self.columns:
                return [self.columns[name]]
        return [self.columns[name] for name in ("date", "time") if name in self.columns]

    @property
    def volume_column(self) -> int | None:
        """The place of the volume; MetaTrader's ticks go before its traded volume."""
        found = (self.columns.get(name) for name in ("volume", "tickvol", "vol"))
        return next((place for place in found if place is not None), None)


_SYNONYMS: Final = {
    "time_msc": "timestamp_ms",
    "datetime": "timestamp",
    "date_time": "timestamp",
    "open_time": "timestamp",
    "open time": "timestamp",
    "local time": "timestamp",
    "real_volume": "vol",
    "tick_volume": "tickvol",
    "askprice": "ask",
    "bidprice": "bid",
}
# Whose clock a header names: Dukascopy's `Gmt time` and `Time (EET)`.
_NAMED_CLOCK: Final = re.compile(r"(?:time|timestamp|datetime)[ _]\(?(?P<after>[a-z/_]+)\)?")
_UTC_NAMES: Final = frozenset({"gmt time", "utc time", "time_utc", "timestamp_utc", "gmt_time"})


def parse_header(path: Path, header: Header, forms: str = TICK_FORMS) -> Layout:
    """Where the columns are; raises `MarketFileError` for a header of no known form."""
    delimiter = next((mark for mark in "\t;|" if mark in header.text), ",")
    written = [_plain(name) for name in header.text.split(delimiter)]
    clocks = [_clock_of(name) for name in written]
    # Beside a column of dates, `Time (EET)` is a time of day.
    of_clock = "time" if "date" in written else "timestamp"
    names = [
        of_clock if clock is not None else _SYNONYMS.get(name, name)
        for name, clock in zip(written, clocks, strict=True)
    ]
    columns = {name: place for place, name in reversed(list(enumerate(names)))}
    is_candles = not {"bid", "ask"} <= columns.keys()
    if not columns.keys() & {"timestamp_ms", "timestamp", "time", "date"} or (
        is_candles and not set(PRICES) <= columns.keys()
    ):
        where = f"{path}, line {header.line} is {printable(header.text)}"
        raise MarketFileError(f"{where}; {forms}")
    for name in ("bid", "ask", *PRICES):
        if names.count(name) > 1:
            raise MarketFileError(
                f"{path}, line {header.line} names the column {name} twice; remove one of them"
            )
    layout = Layout(delimiter, len(names), columns, is_candles, header.line)
    named = next((clocks[place] for place in layout.time_columns if clocks[place]), None)
    return layout if named is None else replace(layout, clock=named)


def _plain(name: str) -> str:
    return " ".join(name.strip().strip('<>"').lower().split())


def _clock_of(name: str) -> BrokerClock | None:
    """The clock that a column's name says, None where it is the name of another column."""
    if name in _UTC_NAMES:
        return UTC_CLOCK
    found = _NAMED_CLOCK.fullmatch(name)
    if found is None:
        return None
    try:
        return clock_named(found["after"])
    except UnknownTimezoneError:
        return None


def describe_times(layout: Layout, clock: BrokerClock, first_time: str) -> str:
    """A sentence for people on how the times of a file are understood."""
    try:
        first = read_time(first_time)
    except ValueError:
        first = None
    if first is not None and first.has_zone:
        return "times are read as their own zone says"
    clock = layout.clock or clock
    if first is not None and first.unit is not None and clock == UTC_CLOCK:
        return f"times are Unix {first.unit}, UTC"
    return f"times are taken for {clock.explanation}"
