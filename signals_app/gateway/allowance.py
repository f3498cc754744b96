"""What a connection may send at the level of frames, whatever is in them. Pure.

Every frame and byte counts: control frames, empty fragments, and what is skipped. Before its
connector is let in a connection has a small total; afterwards so much a second.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from signals_app.gateway.limits import (
    MAX_UNAUTHENTICATED_BYTES,
    MAX_UNAUTHENTICATED_FRAMES,
    MAX_UNAUTHENTICATED_TOTAL,
    Limits,
    RateLimit,
)

FRAMES_A_TURN: Final = 512
"""Frames of one connection that are handled before others get their turn."""

_BYTES_PER_SECOND: Final = 128 << 20


class Allowance(Protocol):
    """What one connection may still send. Times are in milliseconds, of any steady clock."""

    longest_message: int | None
    """Bytes; a longer one ends the connection. `None`: it is skipped, and the session counts it."""

    def is_exceeded(self, received: int, now_ms: int) -> bool:
        """Count bytes before they are looked at; whether they are too many."""
        ...

    def frames(self) -> int:
        """So many frames may be handled now."""
        ...

    def is_spent(self, frames: int, now_ms: int) -> bool:
        """Count the frames that were handled; whether no more may come."""
        ...

    def is_control_exceeded(self, now_ms: int) -> bool:
        """Count a ping, pong or close; whether that is too many."""
        ...


@dataclass(slots=True)
class StrangerAllowance:
    """A small total, for who has not said yet who it is."""

    bytes_left: int = MAX_UNAUTHENTICATED_TOTAL
    frames_left: int = MAX_UNAUTHENTICATED_FRAMES
    longest_message: int | None = MAX_UNAUTHENTICATED_BYTES

    def is_exceeded(self, received: int, now_ms: int) -> bool:  # noqa: ARG002 - a total
        """See `Allowance`."""
        self.bytes_left -= received
        return self.bytes_left < 0

    def frames(self) -> int:
        """See `Allowance`."""
        return self.frames_left

    def is_spent(self, frames: int, now_ms: int) -> bool:  # noqa: ARG002 - a total
        """See `Allowance`."""
        self.frames_left -= frames
        return self.frames_left <= 0

    def is_control_exceeded(self, now_ms: int) -> bool:  # noqa: ARG002
        """See `Allowance`; they are among the frames."""
        return False


class ConnectorAllowance:
    """Rates, for a connector that was let in."""

    longest_message: int | None = None

    def __init__(self, now_ms: int, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._bytes = RateLimit(_BYTES_PER_SECOND, now_ms)
        self._frames = RateLimit(limits.frames_per_second, now_ms)
        self._control_frames = RateLimit(limits.messages_per_second, now_ms)

    def is_exceeded(self, received: int, now_ms: int) -> bool:
        """See `Allowance`."""
        return self._bytes.is_exceeded(now_ms, received)

    def frames(self) -> int:
        """See `Allowance`."""
        return FRAMES_A_TURN

    def is_spent(self, frames: int, now_ms: int) -> bool:
        """See `Allowance`."""
        return self._frames.is_exceeded(now_ms, frames)

    def is_control_exceeded(self, now_ms: int) -> bool:
        """See `Allowance`."""
        return self._control_frames.is_exceeded(now_ms)
