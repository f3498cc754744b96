"""Market time: trading days, sessions by local clocks, and the weekly close."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000

_OFFICE_OPEN, _OFFICE_CLOSE = time(8), time(17)
_SUNDAY, _FRIDAY, _SATURDAY = 6, 4, 5


class TradingSession(StrEnum):
    """The trading session: which of the big centres is at work."""

    ASIAN = "ASIAN"
    LONDON = "LONDON"
    NY_OVERLAP = "NY_OVERLAP"
    NEW_YORK = "NEW_YORK"


def utc(time_ms: int) -> datetime:
    """Unix milliseconds as an aware UTC time."""
    return datetime.fromtimestamp(time_ms // 1000, UTC) + timedelta(milliseconds=time_ms % 1000)


def midnight(day: date) -> datetime:
    """The beginning of a UTC day."""
    return datetime.combine(day, time(), UTC)


def milliseconds(moment: datetime) -> int:
    """An aware time as Unix milliseconds."""
    return round(moment.timestamp() * 1000)


def iso(time_ms: int) -> str:
    """Unix milliseconds as ISO 8601 UTC, with milliseconds only where there are any."""
    precision = "milliseconds" if time_ms % 1000 else "seconds"
    return utc(time_ms).isoformat(timespec=precision).replace("+00:00", "Z")


def session_at(time_ms: int) -> TradingSession:
    """The session at that moment: 08:00-17:00 by each centre's own clock."""
    return _session_of_hour(time_ms // HOUR_MS)


@lru_cache(maxsize=65_536)
def _session_of_hour(hour: int) -> TradingSession:
    # Offices open and close, and daylight saving switches, on whole UTC hours.
    moment = utc(hour * HOUR_MS)
    london = _OFFICE_OPEN <= moment.astimezone(LONDON).time() < _OFFICE_CLOSE
    new_york = _OFFICE_OPEN <= moment.astimezone(NEW_YORK).time() < _OFFICE_CLOSE
    match london, new_york:
        case True, True:
            return TradingSession.NY_OVERLAP
        case True, False:
            return TradingSession.LONDON
        case False, True:
            return TradingSession.NEW_YORK
        case _:
            return TradingSession.ASIAN


@dataclass(frozen=True, slots=True)
class TradingDay:
    """A trading day and the ISO week (year, week) that it belongs to."""

    date: date
    week: tuple[int, int]


def trading_day(time_ms: int) -> TradingDay:
    """The trading day of a moment: the date in New York plus 7 hours.

    So the day turns at 17:00 New York time (docs/domain/definitions.md, "Notation").
    """
    return _trading_day_of_hour(time_ms // HOUR_MS)


@lru_cache(maxsize=65_536)
def _trading_day_of_hour(hour: int) -> TradingDay:
    # The day turns, and daylight saving switches, on whole UTC hours, so an hour is one answer.
    local = utc(hour * HOUR_MS).astimezone(NEW_YORK).replace(tzinfo=None) + timedelta(hours=7)
    year, week, _ = local.date().isocalendar()
    return TradingDay(local.date(), (year, week))


def is_market_open(time_ms: int) -> bool:
    """Whether the week is open: Sunday 17:00 to Friday 17:00 New York time."""
    local = utc(time_ms).astimezone(NEW_YORK)
    match local.weekday():
        case day if day == _SATURDAY:
            return False
        case day if day == _FRIDAY:
            return local.time() < _OFFICE_CLOSE
        case day if day == _SUNDAY:
            return local.time() >= _OFFICE_CLOSE
        case _:
            return True


def weekly_close(time_ms: int) -> int:
    """The next Friday 17:00 New York time after ``time_ms``, in Unix ms."""
    local = utc(time_ms).astimezone(NEW_YORK)
    friday = local.date() + timedelta(days=(_FRIDAY - local.weekday()) % 7)
    close = datetime.combine(friday, _OFFICE_CLOSE, NEW_YORK)
    if milliseconds(close) <= time_ms:
        close = datetime.combine(friday + timedelta(days=7), _OFFICE_CLOSE, NEW_YORK)
    return milliseconds(close)
