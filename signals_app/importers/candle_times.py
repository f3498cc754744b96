"""The times of candles: read from text, and taken from the clock that wrote them to UTC."""

import re
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from signals_app.importers.candle_layout import CandleFormat, CandleLayout
from signals_app.importers.candle_text import CandleFileError, CandleText
from signals_app.market.calendar import NEW_YORK, iso
from signals_app.market.tick import Int64s

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
#: Behind a time of day; a date alone ends in `-28`, too.
_HAS_OFFSET = r"(?:[Zz]|[T :]\S*[+-]\d{2}(?::?\d{2})?)$"


@dataclass(frozen=True, slots=True)
class WallClock:
    """A wall clock: a zone's, shown this much ahead. `zone` is `None` for UTC."""

    zone: tzinfo | None
    ahead: timedelta
    name: str


def wall_clock(source_timezone: str) -> WallClock:
    """The clock of that name, as `read_candle_file` describes it; raises `CandleFileError`."""
    offset = _OFFSET.fullmatch(source_timezone)
    try:
        if source_timezone.lower() == "utc":
            return WallClock(None, timedelta(0), "UTC")
        if source_timezone == "server-eu":
            return WallClock(ZoneInfo("Europe/Athens"), timedelta(0), source_timezone)
        if source_timezone == "server-us":
            return WallClock(NEW_YORK, timedelta(hours=7), source_timezone)
        if offset:
            sign, hours, minutes = offset.groups()
            ahead = timedelta(hours=int(hours), minutes=int(minutes))
            return WallClock(
                timezone(-ahead if sign == "-" else ahead), timedelta(0), source_timezone
            )
        return WallClock(ZoneInfo(source_timezone), timedelta(0), source_timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CandleFileError(
            f"{source_timezone!r} is no timezone; give utc, server-eu, server-us, an IANA name "
            "such as Europe/Athens or an offset such as +02:00."
        ) from None


def read_times(
    file: CandleText, layout: CandleLayout, frame: pd.DataFrame, clock: WallClock
) -> Int64s:
    """The candles' opening times, Unix milliseconds; raises `CandleFileError`.

    Times that say no offset are those of the clock; where it goes back in autumn, the order of the
    file tells the two equal hours apart.
    """
    written = frame[layout.time_columns[0]].fillna("").str.strip()
    if "time" in layout.columns:
        written = written + " " + frame["time"].fillna("").str.strip()
    if layout.format is CandleFormat.DUKASCOPY:
        # 31.12.2024 22:00:00.000, in the local form with GMT+0200 behind it.
        parts = written.str.extract(r"^(\d{2})\.(\d{2})\.(\d{4}) (\S+)(?: GMT([+-]\d{4}))?$")
        day, month, year, time, offset = (parts[place].fillna("") for place in range(5))
        text = year + "-" + month + "-" + day + "T" + time + offset
    elif layout.format is CandleFormat.METATRADER:
        text = written.str.replace(".", "-", n=2, regex=False)
    else:
        text = written
    moments = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    unread = np.flatnonzero(moments.isna().to_numpy())
    if len(unread):
        row = int(unread[0])
        file.fail_at(
            row, f"{written.iloc[row]!r} is not a time of the kind that {layout.format} has"
        )
    time_ms = moments.to_numpy(dtype="datetime64[ms]").astype(np.int64)
    if layout.says_utc or clock.zone is None:
        return time_ms
    naive = ~text.str.contains(_HAS_OFFSET).to_numpy()
    return _by_clock(file, time_ms, naive, clock)


def _by_clock(file: CandleText, time_ms: Int64s, naive: np.ndarray, clock: WallClock) -> Int64s:
    """Correct the naive times, which were read as UTC, to what the clock meant."""
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
