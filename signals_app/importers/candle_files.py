"""Candle files: ISO CSV, MetaTrader 5 exports and Dukascopy CSV, recognised by their header."""

import gzip
import io
import re
import zlib
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from signals_app.market.calendar import NEW_YORK, iso
from signals_app.market.candle import Candles
from signals_app.market.tick import Float64s, Int64s, quantise_all


class CandleFileError(ValueError):
    """The file cannot be used; the sentence says where, what is wrong and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class CandleFile:
    """The candles of a file, times in UTC and prices on the five-decimal grid.

    `spread` is each candle's, `None` where the file has none: in points of the instrument's last
    digit where `spread_in_points`, otherwise in price. `assumed` says how the file was read.
    """

    candles: Candles
    spread: Float64s | None
    spread_in_points: bool
    assumed: str


def read_candle_file(path: str | Path, source_timezone: str = "utc") -> CandleFile:
    """Return the candles and spreads of a file; raises `CandleFileError` where it is not sound.

    ``source_timezone`` is the clock of times that say no offset: `utc`; a broker's server clock,
    `server-eu` (as in Athens, so that it changes with Europe's daylight saving) or `server-us`
    (New York plus 7 hours); an IANA name such as `Asia/Dubai`; or an offset such as `+02:00`.
    """
    return _read(Path(path), source_timezone, with_spread=True)


def read_candles(path: str | Path, source_timezone: str = "utc") -> Candles:
    """Return the candles of a file, as `read_candle_file` does, whatever its other columns hold."""
    return _read(Path(path), source_timezone, with_spread=False).candles


_PRICES = ("open", "high", "low", "close")
_WANTED = (
    "timestamp,open,high,low,close,volume, a MetaTrader 5 export (<DATE> <TIME> <OPEN> ...) "
    "or a Dukascopy export (Gmt time,Open,...)"
)
_MEND = "correct or remove that line"
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
#: Behind a time of day; a date alone ends in `-28`, too.
_HAS_OFFSET = r"(?:[Zz]|[T :]\S*[+-]\d{2}(?::?\d{2})?)$"
_HIGHEST_PRICE = 1e9


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a kind of file keeps what: its columns are numbers in the file."""

    name: str
    separator: str
    columns: dict[str, int]
    width: int
    says_utc: bool

    @property
    def time_columns(self) -> list[str]:
        return [name for name in ("timestamp", "date", "time") if name in self.columns]


class _File:
    """The text of one file, which knows how to say where it is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = self._text()
        if not self.text.strip():
            self.fail("is empty", "export it again")

    def fail(self, what: str, remedy: str) -> NoReturn:
        raise CandleFileError(f"{self.path} {what}; {remedy}.")

    def fail_at(self, row: int, what: str, remedy: str = _MEND) -> NoReturn:
        """Refuse the candle at place ``row``, by its line number in the file."""
        self._fail_in_line(self._line_number(row), what, remedy)

    def field(self, row: int, layout: _Layout, column: str) -> str:
        """Return a field as it is written."""
        line = self.text.splitlines()[self._line_number(row) - 1]
        fields = line.split(layout.separator)
        place = layout.columns[column]
        return fields[place].strip() if place < len(fields) else ""

    def refuse_long_lines(self, layout: _Layout) -> None:
        """Refuse a line with more fields than the header has: pandas would drop what is over."""
        for number, line in enumerate(self.text.splitlines(), 1):
            if line.count(layout.separator) >= layout.width and '"' not in line:
                self._fail_in_line(number, f"more than {layout.width} fields")

    def header(self) -> str:
        return next(line for line in self.text.splitlines() if line.strip())

    def _fail_in_line(self, number: int, what: str, remedy: str = _MEND) -> NoReturn:
        raise CandleFileError(f"{self.path}, line {number}: {what}; {remedy}.")

    def _line_number(self, row: int) -> int:
        numbers = (n for n, line in enumerate(self.text.splitlines(), 1) if line.strip())
        return next(n for place, n in enumerate(numbers) if place == row + 1)

    def _text(self) -> str:
        try:
            raw = self.path.read_bytes()
            if raw[:2] == b"\x1f\x8b" or self.path.suffix == ".gz":
                raw = gzip.decompress(raw) if raw else raw
        except FileNotFoundError:
            self.fail("does not exist", "check the path")
        except EOFError:
            self.fail("is cut off in the middle", "copy or download it again")
        except (gzip.BadGzipFile, zlib.error):
            self.fail("is not a sound gzip file", "copy or download it again")
        except OSError as error:
            self.fail(f"cannot be read ({error.strerror})", "check the path and its permissions")
        encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            self.fail("is not a text file", f"give a CSV file: {_WANTED}")
        if "\0" in text:
            self.fail("is not a text file", f"give a CSV file: {_WANTED}")
        return text


def _read(path: Path, source_timezone: str, *, with_spread: bool) -> CandleFile:
    clock = _clock(source_timezone)
    file = _File(path)
    layout = _layout(file)
    frame = _frame(file, layout, with_spread=with_spread)
    if frame.empty:
        file.fail("has a header but no candles", "export it again")
    time_ms = _times(file, layout, frame, clock)
    open_, high, low, close = (_prices(file, layout, frame, name) for name in _PRICES)
    volume = _numbers(file, layout, frame, "volume")
    candles = Candles(time_ms, open_, high, low, close, volume)
    _check(file, candles)
    has_spread = "spread" in frame.columns
    clock_name = "UTC" if layout.says_utc else source_timezone
    return CandleFile(
        candles=candles,
        spread=_spreads(file, layout, frame) if has_spread else None,
        spread_in_points=has_spread and frame["spread"].dtype.kind == "i",
        assumed=f"{layout.name}; times without an offset read as {clock_name}",
    )


def _layout(file: _File) -> _Layout:
    header = file.header()
    separator = next((mark for mark in "\t;," if mark in header), ",")
    names = [name.strip().strip('<>"').strip().lower() for name in header.split(separator)]
    places = {name: place for place, name in reversed(list(enumerate(names)))}
    if "timestamp" in places:
        name, times = "ISO CSV", {"timestamp": places["timestamp"]}
    elif "gmt time" in places or "local time" in places:
        name, times = (
            "Dukascopy",
            {"timestamp": places.get("gmt time", places.get("local time", 0))},
        )
    elif "date" in places:
        name = "MetaTrader 5 export"
        times = {column: places[column] for column in ("date", "time") if column in places}
    else:
        file.fail(f"does not begin with a known header but with {header[:80]!r}", f"give {_WANTED}")
    for volume in ("tickvol", "vol"):
        if "volume" not in places and volume in places:
            places["volume"] = places[volume]
    missing = [column for column in (*_PRICES, "volume") if column not in places]
    if missing:
        file.fail(f"has no column {missing[0]!r}", f"give {_WANTED}")
    numbers = {
        column: places[column] for column in (*_PRICES, "volume", "spread") if column in places
    }
    return _Layout(name, separator, times | numbers, len(names), "gmt time" in places)


def _frame(file: _File, layout: _Layout, *, with_spread: bool) -> pd.DataFrame:
    """Return the file's rows, text for times, numbers (or text where it is none) for the rest."""
    columns = {
        place: name for name, place in layout.columns.items() if with_spread or name != "spread"
    }
    names = [columns.get(place, place) for place in range(layout.width)]
    file.refuse_long_lines(layout)
    try:
        return pd.read_csv(
            io.StringIO(file.text),
            sep=layout.separator,
            header=0,
            names=names,
            usecols=list(columns.values()),
            index_col=False,
            dtype=dict.fromkeys(layout.time_columns, str),
        )
    except pd.errors.ParserError as error:
        file.fail(f"is not a regular table ({error})", "correct or remove that line")


def _numbers(file: _File, layout: _Layout, frame: pd.DataFrame, column: str) -> Float64s:
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64)
    if frame[column].dtype == bool:
        values = np.full(len(frame), np.nan)  # a column of nothing but True is read as ones
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        row = int(bad[0])
        written = file.field(row, layout, column)
        file.fail_at(row, f"{column} is {written!r}, not a number" if written else f"no {column}")
    return np.ascontiguousarray(values)


def _prices(file: _File, layout: _Layout, frame: pd.DataFrame, column: str) -> Float64s:
    prices = _numbers(file, layout, frame, column)
    _refuse_first(file, prices > _HIGHEST_PRICE, f"{column} is above {_HIGHEST_PRICE:,.0f}")
    return quantise_all(prices)


def _spreads(file: _File, layout: _Layout, frame: pd.DataFrame) -> Float64s:
    spread = _numbers(file, layout, frame, "spread")
    negative = np.flatnonzero(spread < 0)
    if len(negative):
        row = int(negative[0])
        file.fail_at(row, f"spread {spread[row]:g} is below zero")
    return spread


def _times(file: _File, layout: _Layout, frame: pd.DataFrame, clock: "_Clock") -> Int64s:
    written = frame[layout.time_columns[0]].fillna("").str.strip()
    if "time" in layout.columns:
        written = written + " " + frame["time"].fillna("").str.strip()
    if layout.name == "Dukascopy":
        # 31.12.2024 22:00:00.000, in the local form with GMT+0200 behind it.
        parts = written.str.extract(r"^(\d{2})\.(\d{2})\.(\d{4}) (\S+)(?: GMT([+-]\d{4}))?$")
        day, month, year, time, offset = (parts[place].fillna("") for place in range(5))
        text = year + "-" + month + "-" + day + "T" + time + offset
    elif layout.name == "MetaTrader 5 export":
        text = written.str.replace(".", "-", n=2, regex=False)
    else:
        text = written
    moments = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    unread = np.flatnonzero(moments.isna().to_numpy())
    if len(unread):
        row = int(unread[0])
        file.fail_at(row, f"{written.iloc[row]!r} is not a time of the kind that {layout.name} has")
    time_ms = moments.to_numpy(dtype="datetime64[ms]").astype(np.int64)
    if layout.says_utc or clock.zone is None:
        return time_ms
    naive = ~text.str.contains(_HAS_OFFSET).to_numpy()
    return _by_clock(file, time_ms, naive, clock)


@dataclass(frozen=True, slots=True)
class _Clock:
    """A wall clock: a zone's, shown this much ahead. `zone` is `None` for UTC."""

    zone: tzinfo | None
    ahead: timedelta
    name: str


def _clock(source_timezone: str) -> _Clock:
    offset = _OFFSET.fullmatch(source_timezone)
    try:
        if source_timezone.lower() == "utc":
            return _Clock(None, timedelta(0), "UTC")
        if source_timezone == "server-eu":
            return _Clock(ZoneInfo("Europe/Athens"), timedelta(0), source_timezone)
        if source_timezone == "server-us":
            return _Clock(NEW_YORK, timedelta(hours=7), source_timezone)
        if offset:
            sign, hours, minutes = offset.groups()
            ahead = timedelta(hours=int(hours), minutes=int(minutes))
            return _Clock(timezone(-ahead if sign == "-" else ahead), timedelta(0), source_timezone)
        return _Clock(ZoneInfo(source_timezone), timedelta(0), source_timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CandleFileError(
            f"{source_timezone!r} is no timezone; give utc, server-eu, server-us, an IANA name "
            "such as Europe/Athens or an offset such as +02:00."
        ) from None


def _by_clock(file: _File, time_ms: Int64s, naive: np.ndarray, clock: _Clock) -> Int64s:
    """Return the times, of which the naive ones were read as UTC, as the clock meant them."""
    shown = pd.DatetimeIndex(time_ms[naive].astype("datetime64[ms]")) - clock.ahead
    every = np.ones(len(shown), dtype=bool)
    earlier, later = (
        shown.tz_localize(clock.zone, ambiguous=first, nonexistent="NaT")
        for first in (every, ~every)
    )
    skipped = np.flatnonzero(earlier.isna())
    rows = np.flatnonzero(naive)
    if len(skipped):
        row = int(rows[skipped[0]])
        file.fail_at(
            row,
            f"{iso(int(time_ms[row]))[:-1]} never was on the clock {clock.name}",
            "check the timezone that you gave",
        )
    result = time_ms.copy()
    first, second = (
        moments.tz_convert("UTC").to_numpy(dtype="datetime64[ms]").astype(np.int64)
        for moments in (earlier, later)
    )
    result[rows] = first
    # In autumn an hour happens twice: the second time is where the file would go back otherwise.
    for place in np.flatnonzero(first != second).tolist():
        row = int(rows[place])
        if row > 0 and result[row] <= result[row - 1]:
            result[row] = second[place]
    return result


def _check(file: _File, candles: Candles) -> None:
    low, high = candles.low, candles.high
    body_low = np.minimum(candles.open, candles.close)
    body_high = np.maximum(candles.open, candles.close)
    _refuse_first(file, low <= 0, "a price is not above zero")
    _refuse_first(file, high < low, "high is below low")
    _refuse_first(file, body_low < low, "open or close is below low")
    _refuse_first(file, body_high > high, "open or close is above high")
    _refuse_first(file, candles.volume < 0, "volume is below zero")
    step = np.diff(candles.time_ms, prepend=candles.time_ms[0] - 1)
    _refuse_first(file, step == 0, "its time is that of the candle before", "remove one of them")
    _refuse_first(
        file, step < 0, "its time is before that of the candle before", "sort the file by time"
    )


def _refuse_first(file: _File, wrong: np.ndarray, what: str, remedy: str = _MEND) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        file.fail_at(int(rows[0]), what, remedy)
