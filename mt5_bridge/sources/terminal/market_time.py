"""How far the market's time has come, as live ticks show it: the watermark of a terminal."""

from typing import Final

LATENESS_MS: Final = 15_000
"""A tick may reach the terminal this much later than one that is newer."""
SILENCE_MS: Final = 300_000
"""So long a silence would have made the terminal notice that its line is dead."""


class MarketTime:
    """Up to when every tick has arrived, by live ticks and steady seconds, by no wall clock.

    A terminal may say that it is connected while its line is already dead. So time counts only up
    to the last sign of life - a tick of the symbol or of another one, which come over the same
    line - and behind it only after a silence that the terminal itself would not have overlooked.
    """

    def __init__(self) -> None:
        self._newest_ms: int | None = None
        self._seen_at = 0.0
        self._heard_at = 0.0

    def saw_tick(self, tick_ms: int, seconds: float) -> None:
        """Note a tick of the symbol, by its UTC time, that has just arrived."""
        self._newest_ms = tick_ms
        self._seen_at = self._heard_at = seconds

    def heard_by(self, seconds: float) -> None:
        """Note that something else had come over the line by then."""
        self._heard_at = max(self._heard_at, seconds)

    def silence(self, seconds: float) -> float:
        """For how many seconds nothing has come over the line."""
        return seconds - self._heard_at

    def reset(self) -> None:
        """Begin anew after an outage."""
        self._newest_ms = None

    def watermark_ms(self, seconds: float) -> int | None:
        """Up to when (UTC) no tick is to come any more; None before a live one was seen."""
        if self._newest_ms is None:
            return None
        heard_ms = round((self._heard_at - self._seen_at) * 1000)
        silent_ms = round((seconds - self._seen_at) * 1000)
        return self._newest_ms + max(heard_ms - LATENESS_MS, silent_ms - SILENCE_MS)
