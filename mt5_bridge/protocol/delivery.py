"""One symbol's ticks on their way to the server: what to send next, from which number on."""

from dataclasses import dataclass
from typing import Final, Protocol

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.link_events import (
    Acknowledged,
    NumberingNeeded,
    Placement,
    ReplayNeeded,
    Resumed,
    RoleAssigned,
    SpoolBehind,
)
from mt5_bridge.protocol.wire import Role

CANDLE_MS: Final = 900_000
"""The shortest candle (M15): when one may have ended without a tick, the server hears at once."""


class NumberedTicks(Protocol):
    """The numbered ticks that the connector still holds, times never going back."""

    def last_seq(self, symbol: str) -> int | None:
        """The number that was given last; None where numbering has not begun."""

    def first_seq(self, symbol: str) -> int:
        """The number of the first tick still held; the next one's where there is none."""

    def time_at(self, symbol: str, seq: int) -> int | None:
        """The time of a tick in milliseconds; None where it is not held."""

    def seq_at(self, symbol: str, time_ms: int) -> int:
        """The number of the last tick not later than ``time_ms``."""


@dataclass(frozen=True, slots=True)
class TickRange:
    """Ticks `after_seq + 1` up to `up_to_seq` of one symbol."""

    symbol: str
    after_seq: int
    up_to_seq: int


@dataclass(slots=True)
class Delivery:
    """What one connection carried of one symbol.

    `role` is None before the login and for a symbol that the token does not carry. Nothing is sent
    before `resume`. `covered_ms` is up to when the server knows the market: the time of the last
    tick or watermark that it was given.
    """

    symbol: str
    ticks: NumberedTicks
    role: Role | None = None
    is_resumed: bool = False
    sent_seq: int = 0
    acknowledged_seq: int = 0
    covered_ms: int = 0

    @property
    def may_send(self) -> bool:
        return self.is_resumed and self.role is Role.ACTIVE

    @property
    def in_flight(self) -> int:
        """How many ticks are sent and not acknowledged."""
        return self.sent_seq - self.acknowledged_seq

    def assign(self, role: Role) -> list[RoleAssigned]:
        is_change = role is not self.role
        self.role = role
        return [RoleAssigned(self.symbol, role)] if is_change else []

    def place(self, resume: wire.Resume) -> Placement:
        """Compare the server's position with the ticks held; resume where that is possible.

        Otherwise sending stands still until the driver has put the ticks right and calls `resume`.
        """
        self.is_resumed = False
        where = self.symbol, resume.seq, resume.time
        last_seq = self.ticks.last_seq(self.symbol)
        if last_seq is None:
            return NumberingNeeded(*where)
        if resume.seq > last_seq:
            return SpoolBehind(*where)
        if self._begins_too_late(resume):
            return NumberingNeeded(*where)
        if self._is_missing(resume):
            return ReplayNeeded(*where)
        return self.resume(resume.seq, resume.time)

    def resume(self, after_seq: int, time_ms: int | None) -> Resumed:
        """Send ticks from ``after_seq + 1`` on; return from where on it really is.

        ``time_ms`` is the time of the last stored tick. Where it is later than our own tick
        ``after_seq``, another connector stored ticks since: ours before that time are left out.
        Those of the very millisecond are sent, for the server to tell which of them it has.
        """
        own_ms = self.ticks.time_at(self.symbol, after_seq)
        if time_ms is not None and (own_ms is None or own_ms < time_ms):
            after_seq = max(after_seq, self.ticks.seq_at(self.symbol, time_ms - 1))
        self.is_resumed = True
        self.sent_seq = self.acknowledged_seq = after_seq
        self.covered_ms = max(self.covered_ms, time_ms or 0)
        return Resumed(self.symbol, after_seq, time_ms)

    def next_range(self, at_most: int, maximum_in_flight: int) -> TickRange | None:
        """Which ticks to send next; None where there are none or the window is full."""
        room = maximum_in_flight - self.in_flight
        last_seq = self.ticks.last_seq(self.symbol) or 0
        up_to = min(last_seq, self.sent_seq + min(room, at_most))
        if not self.may_send or up_to <= self.sent_seq:
            return None
        return TickRange(self.symbol, self.sent_seq, up_to)

    def sent(self, last_seq: int, last_time_ms: int) -> None:
        """Note that ticks up to ``last_seq`` were handed to the connection."""
        self.sent_seq = last_seq
        self.covered_ms = max(self.covered_ms, last_time_ms)

    def acknowledge(self, seq: int) -> list[Acknowledged]:
        if seq <= self.acknowledged_seq:
            return []
        self.acknowledged_seq = min(seq, self.sent_seq)
        return [Acknowledged(self.symbol, self.acknowledged_seq)]

    def may_report(self, watermark_ms: int) -> bool:
        """Whether a watermark is true for the server, too: it was sent every tick held."""
        has_sent_all = self.sent_seq >= (self.ticks.last_seq(self.symbol) or 0)
        return self.may_send and has_sent_all and watermark_ms >= self.covered_ms

    def ends_candle(self, watermark_ms: int) -> bool:
        """Whether a watermark passes the end of a candle that no tick has passed."""
        return watermark_ms // CANDLE_MS > self.covered_ms // CANDLE_MS

    def _begins_too_late(self, resume: wire.Resume) -> bool:
        """Whether all of our ticks are later than the last one that another connector sent.

        The server has none of ours then, so that numbers cannot tell what lies between.
        """
        if resume.seq or resume.time is None or not self.ticks.last_seq(self.symbol):
            return False
        first_seq = self.ticks.first_seq(self.symbol)
        return first_seq == 1 and self.ticks.seq_at(self.symbol, resume.time) < first_seq

    def _is_missing(self, resume: wire.Resume) -> bool:
        """Whether the server may need ticks between its last one and our first."""
        first_seq = self.ticks.first_seq(self.symbol)
        if first_seq <= resume.seq + 1:
            return False
        # What another connector stored since is not needed from us, held or not.
        return resume.time is None or self.ticks.seq_at(self.symbol, resume.time - 1) < first_seq
