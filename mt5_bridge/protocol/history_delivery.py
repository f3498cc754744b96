"""Candle history on its way to the server, which ticks wait for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mt5_bridge.protocol import wire

HISTORY_TIMEOUT: Final = 10.0
"""Seconds that ticks wait for the server to confirm the history."""


@dataclass(slots=True)
class HistoryDelivery:
    """Closed candles that are sent before the ticks of each connection."""

    is_offered: bool = False
    _offered: tuple[wire.History, ...] = ()
    _unconfirmed: set[tuple[str, str]] = field(default_factory=set)
    _wait_until: float = 0.0

    def offer(self, history: Iterable[wire.History]) -> None:
        """Send these candles on every connection from now on."""
        self._offered = tuple(history)
        self.is_offered = True

    def connected(self) -> None:
        self._unconfirmed.clear()

    def start(self, symbol: str, seconds: float) -> list[wire.History]:
        """Give the symbol's messages to send now, and let ticks wait for their answers."""
        messages = [history for history in self._offered if history.symbol == symbol]
        if messages:
            self._unconfirmed |= {(history.symbol, history.timeframe) for history in messages}
            self._wait_until = seconds + HISTORY_TIMEOUT
        return messages

    def confirm(self, symbol: str, timeframe: str) -> None:
        self._unconfirmed.discard((symbol, timeframe))

    def holds_ticks_back(self, seconds: float) -> bool:
        return bool(self._unconfirmed) and seconds < self._wait_until
