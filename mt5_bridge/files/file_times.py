"""The times in market-data files: read from text by one rule, as Unix milliseconds.

A number counts seconds with up to 10 digits (to the year 2286), milliseconds with 11 to 14,
microseconds with 15 to 17, nanoseconds with 18 or 19; one file keeps to one of them.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.protocol.quotes import DAY_MS

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

LATEST_MS: Final = 7_258_118_400_000
"""The year 2200: where times are beyond it, the column holds something else."""

_ZERO = ord("0")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall clocks know no zone yet


class Unit(StrEnum):
    """What a time that is a number counts."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"
    NANOSECONDS = "nanoseconds"


@dataclass(frozen=True, slots=True)
class FileTime:
    """A time: on the file's own clock, or UTC where the text `has_zone`. `unit` of a number."""

    time_ms: int
    has_zone: bool
    unit: Unit | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FileTimes:
    """Times of many rows, which all have the form of `FileTime` that the first one has."""

    time_ms: Int64s
    has_zone: bool
    unit: Unit | None = None


_TIME = (
    r"(?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})"
    r"(?::?(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
)
_ZONE = (
    r"(?P<zone> ?(?:[Zz]|UTC|GMT|"
    r"(?:UTC|GMT)?(?P<sign>[+-])(?P<zone_hour>[0-9]{2})(?::?(?P<zone_minute>[0-9]{2}))?))?"
)
_YEAR_FIRST = r"(?P<year>[0-9]{4})(?P<mark>[-./]?)(?P<month>[0-9]{2})(?P=mark)(?P<day>[0-9]{2})"
_DAY_FIRST = r"(?P<day>[0-9]{2})\.(?P<month>[0-9]{2})\.(?P<year>[0-9]{4})"
_COMPACT = (
    r"(?P<year>(?:19|20)[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    r"(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})?"
)
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        rf"{_YEAR_FIRST}(?:[T ]{_TIME}{_ZONE})?",
        rf"{_DAY_FIRST}(?:[T ]{_TIME}{_ZONE})?",
        _COMPACT,
    )
)
_NUMBER: Final = re.compile(r"(?P<whole>[0-9]{9,19})(?:\.(?P<part>[0-9]+))?")


def read_time(text: str) -> FileTime:
    """Read one time; raises `ValueError` where it is none."""
    found = _calendar(text)
    if found is not None:
        return _from_calendar(found)
    number = _NUMBER.fullmatch(text)
    if number is None:
        raise ValueError(f"{text!r} is not a time")
    unit = unit_of(len(number["whole"]))
    whole, part = int(number["whole"]), (number["part"] or "")
    if unit is Unit.SECONDS:
        return FileTime(whole * 1000 + int(part[:3].ljust(3, "0")), has_zone=False, unit=unit)
    return FileTime(whole // _PER_MS[unit], has_zone=False, unit=unit)


def read_times(texts: list[bytes]) -> FileTimes | None:
    """Read many times at once; None where they are not all of one form or one is no time.

    `read_time` then says which.
    """
    if not texts or not texts[0].isascii():
        return None
    table = np.array(texts)
    width = table.dtype.itemsize
    if width == 0 or len(texts[0]) != width or table.dtype.kind != "S":
        return None
    letters = table.view(np.uint8).reshape(len(texts), width)
    first = texts[0].decode()
    if not _have_form(letters, first):
        return None
    found = _calendar(first)
    if found is not None:
        return _many_from_calendar(letters, found)
    if not first.isdigit() or _NUMBER.fullmatch(first) is None:
        return None
    unit = unit_of(width)
    return _in_range(_digits(letters, 0, width), unit)


def has_zone(text: str) -> bool:
    """Whether a time's text says its zone."""
    try:
        return read_time(text).has_zone
    except ValueError:
        return False


def unit_of(digits: int) -> Unit:
    """What a number of so many digits counts."""
    if digits <= 10:
        return Unit.SECONDS
    if digits <= 14:
        return Unit.MILLISECONDS
    return Unit.MICROSECONDS if digits <= 17 else Unit.NANOSECONDS


_PER_MS: Final = {
    Unit.MILLISECONDS: 1,
    Unit.MICROSECONDS: 1000,
    Unit.NANOSECONDS: 1_000_000,
}


def _in_range(numbers: Int64s, unit: Unit) -> FileTimes | None:
    times = numbers * 1000 if unit is Unit.SECONDS else numbers // _PER_MS[unit]
    if times.min() < 0 or times.max() >= LATEST_MS:
        return None
    return FileTimes(times, has_zone=False, unit=unit)


def _calendar(text: str) -> "re.Match[str] | None":
    """The parts of a calendar time.

    Digits alone are one where they can be: as a number they would lie in the 1970s or after 2200.
    """
    if text.isdigit() and len(text) not in (8, 12, 14):
        return None
    for form in _FORMS:
        found = form.fullmatch(text)
        if found is not None and (not text.isdigit() or _is_on_calendar(found)):
            return found
    return None


def _is_on_calendar(found: "re.Match[str]") -> bool:
    try:
        _from_calendar(found)
    except ValueError:
        return False
    return found["year"][:2] in ("19", "20")


def _from_calendar(found: "re.Match[str]") -> FileTime:
    parts = found.groupdict()
    hour, minute, second, zone_hour, zone_minute = (
        int(parts.get(name) or 0)
        for name in ("hour", "minute", "second", "zone_hour", "zone_minute")
    )
    try:
        # What is on no calendar or clock, `datetime` refuses.
        moment = datetime(  # noqa: DTZ001 - the wall clock knows no zone
            int(parts["year"]), int(parts["month"]), int(parts["day"]), hour, minute, second
        )
    except ValueError:
        raise ValueError(f"{found.string!r} is not a time") from None
    if zone_hour > 14 or zone_minute > 59:
        raise ValueError(f"{found.string!r} is not a time")
    since = moment - _EPOCH
    ahead = (zone_hour * 60 + zone_minute) * (-60_000 if parts.get("sign") == "-" else 60_000)
    milliseconds = int((parts.get("fraction") or "0")[:3].ljust(3, "0"))
    time_ms = since.days * DAY_MS + since.seconds * 1000 + milliseconds - ahead
    return FileTime(time_ms, _says_zone(found))


def _many_from_calendar(letters: "NDArray[np.uint8]", found: "re.Match[str]") -> FileTimes | None:
    parts = {
        name: _digits(letters, *found.span(name))
        for name, text in found.groupdict().items()
        if _is_number(name, text)
    }
    times = _combined(parts, found)
    if times is None or times.min() < 0 or times.max() >= LATEST_MS:
        return None
    return FileTimes(times, _says_zone(found))


def _combined(parts: dict[str, Int64s], found: "re.Match[str]") -> Int64s | None:
    """The milliseconds of the parts; None where one of them is on no calendar or clock."""
    nothing = np.zeros_like(parts["year"])
    month, day = parts["month"], parts["day"]
    hour, minute, second, zone_hour, zone_minute, fraction = (
        parts.get(name, nothing)
        for name in ("hour", "minute", "second", "zone_hour", "zone_minute", "fraction")
    )
    if (
        np.any((month < 1) | (month > 12) | (day < 1) | (hour > 23))
        or np.any((minute > 59) | (second > 59) | (zone_hour > 14) | (zone_minute > 59))
        or np.any(parts["year"] < 1)
    ):
        return None
    days = _days_before(parts["year"], month)
    after = _days_before(parts["year"] + month // 12, month % 12 + 1)
    if np.any(day > after - days):
        return None
    digits = len(found["fraction"] or "") if "fraction" in parts else 3
    milliseconds = fraction * 10 ** (3 - digits) if digits <= 3 else fraction // 10 ** (digits - 3)
    ahead = (
        (zone_hour * 60 + zone_minute) * 60_000 * (-1 if found.group("sign") == "-" else 1)
        if ("zone_hour" in parts)
        else nothing
    )
    clock = ((hour * 60 + minute) * 60 + second) * 1000 + milliseconds
    return np.asarray((days + day - 1) * DAY_MS + clock - ahead, dtype=np.int64)


def _days_before(year: Int64s, month: Int64s) -> Int64s:
    """How many days lie between 1970 and the first of the month."""
    months = (year - 1970) * 12 + month - 1
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _says_zone(found: "re.Match[str]") -> bool:
    return bool((found.groupdict().get("zone") or "").strip())


def _is_number(name: str, text: str | None) -> bool:
    return bool(text) and name not in ("mark", "zone", "sign")


def _have_form(letters: "NDArray[np.uint8]", first: str) -> bool:
    """Whether all rows have digits where the first one has, and the same letters elsewhere."""
    shape = np.frombuffer(first.encode(), np.uint8)
    is_digit = (shape >= _ZERO) & (shape <= _ZERO + 9)
    digits, others = letters[:, is_digit], letters[:, ~is_digit]
    return bool(
        np.all((digits >= _ZERO) & (digits <= _ZERO + 9)) and np.all(others == shape[~is_digit])
    )


def _digits(letters: "NDArray[np.uint8]", begin: int, end: int) -> Int64s:
    number = np.zeros(len(letters), dtype=np.int64)
    for place in range(begin, end):
        number = number * 10 + (letters[:, place].astype(np.int64) - _ZERO)
    return number
