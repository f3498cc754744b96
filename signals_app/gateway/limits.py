"""What one connection may do, and how often. Pure."""

from dataclasses import dataclass
from typing import Final

from mt5_bridge.protocol import wire

MAX_UNAUTHENTICATED_BYTES: Final = 32 * 1024
"""A peer that has not authenticated may send messages up to this size."""

MAX_UNAUTHENTICATED_TOTAL: Final = 64 * 1024
MAX_UNAUTHENTICATED_FRAMES: Final = 50
"""All that a peer may send before it has authenticated: bytes and frames of every kind."""

MAXIMUM_AHEAD_MS: Final = 60_000
"""Watermarks and candles may lie so far ahead of the server's clock."""

_BURST_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """`messages_per_second` counts all but ticks, `frames_per_second` the frames of ticks; each may
    come in a burst of ten seconds' worth. Times in milliseconds.
    """

    auth_timeout_ms: int = round(wire.AUTH_TIMEOUT * 1000)
    heartbeat_interval_ms: int = round(wire.HEARTBEAT_INTERVAL * 1000)
    silence_ms: int = round(wire.HEARTBEAT_INTERVAL * 3000)
    bad_messages: int = wire.MAX_BAD_MESSAGES
    messages_per_second: float = 20.0
    frames_per_second: float = 100_000.0


@dataclass(slots=True)
class RateLimit:
    """A leaky bucket: so many a second, and ten seconds' worth at once."""

    per_second: float
    time_ms: int
    level: float = 0.0

    def is_exceeded(self, now_ms: int, count: int = 1) -> bool:
        """Count so many more at this time; whether that is too many."""
        drained = max(now_ms - self.time_ms, 0) * self.per_second / 1000
        self.level = max(self.level - drained, 0.0) + count
        self.time_ms = now_ms
        return self.level > _BURST_SECONDS * self.per_second
