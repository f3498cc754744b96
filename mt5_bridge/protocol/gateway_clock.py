"""The gateway's clock, as far as its messages show it."""

from dataclasses import dataclass
from typing import Final

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.link_events import ClockErrorChanged

MAXIMUM_ERROR_CHANGE_MS: Final = 5_000
"""An error of this machine's clock that moves by more than this is announced."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What this machine's clocks show: seconds that never go back, and Unix milliseconds."""

    seconds: float
    wall_ms: int


@dataclass(slots=True)
class GatewayClock:
    """The server's time, counted on by our steady clock from the last time it was heard.

    No correction of this machine's wall clock moves it; only before the first comparison the wall
    clock is all there is. `error_ms` is how far the wall clock was ahead of the server's.
    """

    error_ms: int = 0
    _compared: tuple[int, float] | None = None
    _announced_ms: int = 0

    def now_ms(self, reading: ClockReading) -> int:
        if self._compared is None:
            return reading.wall_ms
        server_ms, seconds = self._compared
        return server_ms + round((reading.seconds - seconds) * 1000)

    def compare(self, server_time: str, reading: ClockReading) -> list[ClockErrorChanged]:
        """Take over a time that the server sent; a text that is no time is passed over."""
        try:
            server_ms = wire.milliseconds(server_time)
        except ValueError:
            return []
        self._compared = server_ms, reading.seconds
        self.error_ms = reading.wall_ms - server_ms
        if abs(self.error_ms - self._announced_ms) <= MAXIMUM_ERROR_CHANGE_MS:
            return []
        self._announced_ms = self.error_ms
        return [ClockErrorChanged(self.error_ms)]
