"""Which clock an MT5 server shows: found from live ticks and from the weekly close.

MT5 counts its times as if the server's wall clock were UTC, and nothing in it says how far that is
off. Two kinds of evidence narrow the candidates: a tick that has just arrived shows the offset of
this moment; and the week closes at the same New York hour all the year, so that only the right
clock puts every close of the past year there. (The opening says less: many servers let the week
begin at their own midnight, late by an hour in the weeks when Europe and America disagree.)
What the remaining candidates disagree on is not known, and is not used.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.files.broker_time import SERVER_EU, SERVER_US, BrokerClock

Int64s: TypeAlias = NDArray[np.int64]

_NEW_YORK = ZoneInfo("America/New_York")
# Besides server-eu (Europe/Athens) and server-us (New York + 7 h).
_ZONES: Final = ("Europe/London", "Europe/Berlin", "America/New_York", "America/Chicago")
_AHEAD_OF_NEW_YORK: Final = (5, 6)
_FRIDAY: Final = 4
_WEEKEND_MS: Final = 40 * 3_600_000
# The last hour of a week begins at 16:00 in New York, an hour earlier where a server rests first.
_LAST_HOURS: Final = frozenset({15, 16})
_ENOUGH_WEEKS: Final = 8
_MOST_WEEKS: Final = 0.85
_ENOUGH_DISPUTED: Final = 2
_MOST_DISPUTED: Final = 0.75
# Offsets are whole half hours; a live tick shows its own within half a minute.
_STEP_MS: Final = 1_800_000
_TOLERANCE_MS: Final = 30_000
_MOST_NAMES: Final = 8


@dataclass(frozen=True, slots=True)
class ClockEvidence:
    """The clocks that a server may have, by what has been seen so far."""

    candidates: tuple[BrokerClock, ...]

    @property
    def is_contradictory(self) -> bool:
        """Whether no clock fits what was seen: nothing may be used then."""
        return not self.candidates

    @property
    def name(self) -> str:
        """The clocks that are left, for people."""
        names = [clock.name for clock in self.candidates]
        if len(names) > _MOST_NAMES:
            return f"one of {len(names)}"
        return " or ".join(names) or "unknown"

    def to_utc(self, server_ms: Int64s) -> tuple[Int64s, int]:
        """Times in UTC, and how many of them are certain, counted from the first one."""
        if not self.candidates:
            return server_ms, 0
        times = [clock.to_utc(server_ms) for clock in self.candidates]
        agreed = np.logical_and.reduce([times[0] == other for other in times])
        doubtful = np.flatnonzero(~agreed)
        return times[0], int(doubtful[0]) if len(doubtful) else len(server_ms)

    def server_ms(self, utc_ms: int) -> int | None:
        """What the server showed at a moment; None where that is not certain."""
        offsets = {clock.offset_at(utc_ms) for clock in self.candidates}
        return utc_ms + offsets.pop() if len(offsets) == 1 else None

    def with_live_offset(self, offset_ms: int, now_ms: int) -> "ClockEvidence":
        """What remains when a tick of this moment shows the server ahead by so much."""
        fitting = tuple(clock for clock in self.candidates if clock.offset_at(now_ms) == offset_ms)
        return replace(self, candidates=fitting)

    def has_any_of(self, other: "ClockEvidence") -> bool:
        """Whether there is a clock that both leave."""
        return any(clock in other.candidates for clock in self.candidates)

    def and_also(self, other: "ClockEvidence") -> "ClockEvidence":
        """What both leave; the other alone where they have nothing in common."""
        both = tuple(clock for clock in self.candidates if clock in other.candidates)
        return replace(self, candidates=both) if both else other

    def with_weekly_closes(self, closes_ms: Sequence[int]) -> "ClockEvidence":
        """What remains after a look at the weeks' last candles, by server time.

        Too few weeks, or a market that never closes, rule nothing out.
        """
        if len(closes_ms) < _ENOUGH_WEEKS:
            return self
        hours = {clock: _closing_hours(clock, closes_ms) for clock in self.candidates}
        usual = {clock: _usual(found) for clock, found in hours.items()}
        fitting = [
            clock for clock, found in hours.items() if _share(found, usual[clock]) >= _MOST_WEEKS
        ]
        # Brokers of both continents differ in a few weeks of a year only: these decide.
        disputed = [
            week
            for week in range(len(closes_ms))
            if len({hours[each][week] == usual[each] for each in fitting}) > 1
        ]
        if len(disputed) >= _ENOUGH_DISPUTED:
            decided = [
                clock
                for clock in fitting
                if _share([hours[clock][week] for week in disputed], usual[clock]) >= _MOST_DISPUTED
            ]
            fitting = decided or fitting
        return replace(self, candidates=tuple(fitting))


def all_clocks() -> ClockEvidence:
    """Every clock that a server may have: nothing has been seen yet.

    The usual ones, those of financial centres on European and on American dates, and every whole
    and half hour that stands still.
    """
    zones = [BrokerClock(name, ZoneInfo(name), explanation=name) for name in _ZONES]
    behind_new_york = [
        BrokerClock(f"New York {hours:+d} h", _NEW_YORK, timedelta(hours=hours), "American dates")
        for hours in _AHEAD_OF_NEW_YORK
    ]
    fixed = [_fixed_clock(minutes) for minutes in range(-12 * 60, 14 * 60 + 1, 30)]
    return ClockEvidence((SERVER_EU, SERVER_US, *zones, *behind_new_york, *fixed))


def _fixed_clock(minutes: int) -> BrokerClock:
    hours, rest = divmod(abs(minutes), 60)
    text = f"{'-' if minutes < 0 else '+'}{hours}" + (f":{rest}" if rest else "")
    return BrokerClock(f"UTC{text}", timezone(timedelta(minutes=minutes)), explanation="fixed")


def live_offset(server_ms: int, now_ms: int) -> int | None:
    """How far the server's clock is ahead, from a tick that has just arrived.

    None where that is no whole half hour: one of the clocks is wrong then.
    """
    ahead = server_ms - now_ms
    offset = round(ahead / _STEP_MS) * _STEP_MS
    return offset if abs(ahead - offset) <= _TOLERANCE_MS else None


def weekly_closes(candle_times_ms: Int64s) -> list[int]:
    """The times of the weeks' last candles: those before a weekend without any."""
    gaps = np.flatnonzero(np.diff(candle_times_ms) > _WEEKEND_MS)
    return [int(time_ms) for time_ms in candle_times_ms[gaps]]


def _closing_hours(clock: BrokerClock, closes_ms: Sequence[int]) -> list[int | None]:
    """New York's hour of each close on a Friday, None for one on another day."""
    utc_ms = clock.to_utc(np.array(closes_ms, dtype=np.int64)).tolist()
    local = [datetime.fromtimestamp(at / 1000, UTC).astimezone(_NEW_YORK) for at in utc_ms]
    return [moment.hour if moment.weekday() == _FRIDAY else None for moment in local]


def _usual(hours: Sequence[int | None]) -> int | None:
    """The hour in which most weeks end, None where no week ends in a likely one."""
    counts = Counter(hour for hour in hours if hour in _LAST_HOURS)
    return max(counts, key=counts.__getitem__, default=None)


def _share(hours: Sequence[int | None], usual: int | None) -> float:
    """Which share of the weeks ends in the usual hour."""
    return 0.0 if usual is None else sum(hour == usual for hour in hours) / len(hours)
