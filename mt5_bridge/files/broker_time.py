"""Wall clocks of files and brokers, turned into UTC. Only the bridge knows broker time."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from numpy.typing import NDArray

Int64s: TypeAlias = NDArray[np.int64]

# Every change of every clock falls on a whole quarter of an hour.
_QUARTER_MS = 900_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the origin of wall clocks, which know no zone


class UnknownTimezoneError(ValueError):
    """A name that is no time zone; the sentence says which names are."""


@dataclass(frozen=True, slots=True)
class BrokerClock:
    """A wall clock: what it shows is ``zone``'s wall clock plus ``ahead``.

    MT5 servers on American dates run 7 hours ahead of New York all the year, so that their
    midnight is always New York's 17:00; they have no zone of their own.
    """

    name: str
    zone: tzinfo
    ahead: timedelta = timedelta(0)
    explanation: str = ""

    def to_utc(self, wall_ms: Int64s) -> Int64s:
        """Unix milliseconds for what the clock showed, counted as if it were UTC.

        An hour that the clock showed twice is taken for the first of the two; gold and currencies
        are closed then.
        """
        return self.readings(wall_ms)[0]

    def readings(self, wall_ms: Int64s) -> tuple[Int64s, Int64s]:
        """The first and the second moment in UTC at which the clock showed these times.

        They are equal but in the hour that it showed twice, where the second is the later one, and
        in the hour that it left out, where the second is the earlier one.
        """
        if self.zone is UTC:
            utc = wall_ms - _milliseconds(self.ahead)
            return utc, utc
        quarters, places = np.unique(wall_ms // _QUARTER_MS, return_inverse=True)
        first, second = (
            np.array(
                [_offset_ms(self, quarter, fold) for quarter in quarters.tolist()], dtype=np.int64
            )
            for fold in (0, 1)
        )
        one = np.asarray(wall_ms - first[places], dtype=np.int64)
        if np.array_equal(first, second):
            return one, one
        return one, np.asarray(wall_ms - second[places], dtype=np.int64)

    def offset_at(self, utc_ms: int) -> int:
        """By how many milliseconds the clock is ahead of UTC at that moment."""
        moment = datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(self.zone)
        return _milliseconds((moment.utcoffset() or timedelta(0)) + self.ahead)


UTC_CLOCK: Final = BrokerClock("utc", UTC, explanation="UTC")
SERVER_EU: Final = BrokerClock(
    "server-eu",
    ZoneInfo("Europe/Athens"),
    explanation="MT5 server time on European dates (Europe/Athens)",
)
SERVER_US: Final = BrokerClock(
    "server-us",
    ZoneInfo("America/New_York"),
    timedelta(hours=7),
    "MT5 server time on American dates (New York + 7 h)",
)


def clock_named(name: str) -> BrokerClock:
    """The clock of that name; the only list of names that a user may give.

    `utc`, `gmt` or `z`; `server-eu`; `server-us`; an offset such as `+02:00`, `-0500`, `+3` or
    `GMT+2`; or an IANA name, whatever its letters' case. Raises `UnknownTimezoneError`.
    """
    text = name.strip()
    plain = text.lower().replace("_", "-")
    if plain in ("utc", "gmt", "z"):
        return UTC_CLOCK
    for clock in (SERVER_EU, SERVER_US):
        if plain == clock.name:
            return clock
    if fixed := _OFFSET.fullmatch(text):
        hours, minutes = int(fixed[2]), int(fixed[3] or 0)
        if hours <= 14 and minutes < 60:
            ahead = timedelta(hours=hours, minutes=minutes) * (-1 if fixed[1] == "-" else 1)
            shown = f"{fixed[1]}{hours:02}:{minutes:02}"
            return BrokerClock(text, timezone(ahead), explanation=f"a clock fixed at UTC{shown}")
    try:
        zone = ZoneInfo(_iana_names().get(text.lower(), text))
    except (KeyError, ValueError, OSError):
        raise UnknownTimezoneError(
            f"{name!r} is no time zone; give utc, server-eu, server-us, an offset such as +02:00 "
            "or a name such as Europe/Athens"
        ) from None
    return BrokerClock(zone.key, zone, explanation=f"the wall clock of {zone.key}")


_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)


@lru_cache(maxsize=1)
def _iana_names() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


@lru_cache(maxsize=65_536)
def _offset_ms(clock: BrokerClock, quarter: int, fold: int) -> int:
    wall = _EPOCH + timedelta(milliseconds=quarter * _QUARTER_MS) - clock.ahead
    wall = wall.replace(fold=fold)
    return _milliseconds((clock.zone.utcoffset(wall) or timedelta(0)) + clock.ahead)


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
