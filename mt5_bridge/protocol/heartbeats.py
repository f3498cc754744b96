"""When a heartbeat is due, and whether the server still gives signs of life."""

from dataclasses import dataclass
from typing import Final

from mt5_bridge.protocol import wire

# A server that was silent for so many intervals is on the other end of a dead connection.
_SILENT_INTERVALS: Final = 2.5
_SHORTEST_INTERVAL: Final = 0.1


@dataclass(slots=True)
class Heartbeats:
    """The heartbeats of one connection. All times are seconds of a clock that never goes back.

    The server reads in order, so that its answer to heartbeat `n` confirms all that was sent
    before that one.
    """

    interval: float = wire.HEARTBEAT_INTERVAL
    sent: int = 0
    answered: int = 0
    _due_at: float = 0.0
    _heard_at: float = 0.0

    def connected(self, seconds: float) -> None:
        self.sent = self.answered = 0
        self._due_at = self._heard_at = seconds

    def set_interval(self, interval: float) -> None:
        self.interval = max(interval, _SHORTEST_INTERVAL)

    def server_heard(self, seconds: float) -> None:
        self._heard_at = seconds

    def is_due(self, seconds: float) -> bool:
        return seconds >= self._due_at

    def count_sent(self, seconds: float) -> None:
        self.sent += 1
        self._due_at = seconds + self.interval

    def is_server_silent(self, seconds: float) -> bool:
        """Whether the server has said nothing for so long that the line must be dead."""
        return seconds - self._heard_at > _SILENT_INTERVALS * self.interval
