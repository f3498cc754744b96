"""Finds out which clock the broker's server keeps, and notices when it was wrong about that.

Two witnesses: the weekly closes of the past year, and live ticks held against the wall clock. The
weeks alone prove nothing, for a market that closes an hour early looks like a clock that is an hour
off; so nothing is used before live ticks have agreed. Where the two contradict each other, ticks
are held back until they agree again.
"""

import logging
from collections.abc import Sequence
from typing import Final

from mt5_bridge.files.broker_time import clock_named
from mt5_bridge.protocol.wire import ErrorCode
from mt5_bridge.sources.base import Notice
from mt5_bridge.sources.terminal.server_clock import ClockEvidence, all_clocks, live_offset

log = logging.getLogger("mt5_bridge.mt5")

_WEEKS_AGAIN: Final = 300.0
# Live ticks that must show the same offset before a clock is believed, or given up.
_ENOUGH_TICKS: Final = 3
# Seconds for which they must show it before a clock counts that contradicts the one before.
_LONG_AGREEMENT: Final = 60.0


class ClockFinder:
    """What is known of the clock; `evidence` is what times are converted by.

    `is_witnessed` says that live ticks have shown the clock, or that it was given; before that no
    time may be used. `corrections` rises whenever a clock that was believed proved to be wrong. Its
    methods return the notice that the analysis server should get, None where there is none.
    """

    def __init__(self, clock: str) -> None:
        """``clock`` is "auto" or a name for `broker_time.clock_named`."""
        self._is_auto = clock == "auto"
        # Whether live ticks have shown the clock, or it was given.
        self.is_witnessed = not self._is_auto
        self._by_weeks = all_clocks() if self._is_auto else ClockEvidence((clock_named(clock),))
        self.evidence = self._by_weeks
        # What was believed before live ticks contradicted it.
        self._doubted: ClockEvidence | None = None
        self._weeks_seen_at: float | None = None
        self.corrections = 0
        # The offset that live ticks show, how many of them, and since when.
        self._agreeing: tuple[int, int, float] | None = None

    @property
    def has_seen_weeks(self) -> bool:
        return not self._is_auto or self._weeks_seen_at is not None

    def needs_weeks(self, seconds: float) -> bool:
        """Whether the terminal should be asked for the weekly closes now.

        One that has just been installed is still fetching them: where they leave a doubt it is
        asked again.
        """
        if not self._is_auto:
            return False
        if self._weeks_seen_at is None:
            return True
        is_certain = len(self._by_weeks.candidates) == 1
        return not is_certain and seconds - self._weeks_seen_at >= _WEEKS_AGAIN

    def saw_weeks(self, closes_ms: Sequence[int], server: str, seconds: float) -> Notice | None:
        """Leave only the clocks that put the weekly closes of ``server`` where they belong."""
        self._weeks_seen_at = seconds
        found = all_clocks().with_weekly_closes(closes_ms)
        if found == self._by_weeks:
            return None
        self._by_weeks = found
        if self._doubted is None:
            if self._is_auto and not self.evidence.has_any_of(found):
                self.is_witnessed = False
            self.evidence = self.evidence.and_also(found)
        weeks = len(closes_ms)
        log.info("%s: %d weeks say that its clock is %s", server, weeks, found.name)
        if not found.is_contradictory:
            return None
        return Notice(
            ErrorCode.SYMBOL_UNAVAILABLE,
            f"{weeks} weeks of {server} fit no clock: ticks are held back; give --clock",
        )

    def saw_live_tick(self, server_ms: int, now_ms: int, seconds: float) -> Notice | None:
        """Hold a tick that has just arrived against this machine's clock."""
        offset = live_offset(server_ms, now_ms)
        if offset is None:
            self._agreeing = None
            return None
        before = self._agreeing
        if before is None or before[0] != offset:
            before = (offset, 0, seconds)
        count = before[1] + 1
        self._agreeing = offset, count, before[2]
        if count < _ENOUGH_TICKS:
            return None
        if self._doubted is not None:
            return self._reconsider(self._doubted, offset, now_ms, seconds - before[2])
        return self._believe(offset, now_ms)

    def forget_live_ticks(self) -> None:
        self._agreeing = None

    def server_changed(self) -> None:
        """Begin anew: another broker may have another clock."""
        self._doubted = None
        if self._is_auto:
            self.is_witnessed = False
            self._by_weeks = self.evidence = all_clocks()
            self._weeks_seen_at = None

    def _believe(self, offset: int, now_ms: int) -> Notice | None:
        """Leave only the clocks that show what live ticks show."""
        before = self.evidence
        after = before.with_live_offset(offset, now_ms)
        self.is_witnessed = self.is_witnessed or not after.is_contradictory
        if after == before:
            return None
        self.evidence = after
        if not after.is_contradictory:
            log.info("live ticks say that the server's clock is %s", after.name)
            return None
        self._doubted, self._agreeing = before, None
        return Notice(
            ErrorCode.SYMBOL_UNAVAILABLE,
            f"live ticks are {offset / 3_600_000:+g} h from UTC, but the server's clock was "
            f"{before.name}: ticks are held back; check this machine's clock or give --clock",
        )

    def _reconsider(
        self, doubted: ClockEvidence, offset: int, now_ms: int, agreeing: float
    ) -> Notice | None:
        """End the doubt where ticks fit the old belief again, or long enough another clock.

        It was this machine's clock that was wrong then, or the belief. ``agreeing`` is for how many
        seconds live ticks have shown ``offset``.
        """
        after = doubted.with_live_offset(offset, now_ms)
        if after.is_contradictory and agreeing >= _LONG_AGREEMENT:
            after = self._by_weeks.with_live_offset(offset, now_ms)
        if after.is_contradictory:
            return None
        self.is_witnessed = True
        self.corrections += not doubted.has_any_of(after)
        self.evidence, self._doubted = after, None
        return Notice(
            ErrorCode.MT5_RECONNECTED, f"live ticks fit the server's clock again: {after.name}"
        )
