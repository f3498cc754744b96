"""Ticks that arrive this very moment: they show the market's time, and that the line lives."""

from typing import Final

from mt5_bridge.sources.terminal.market_time import MarketTime
from mt5_bridge.sources.terminal.opening import Terminal

# Of two looks further apart than this (seconds) a new tick may have come any time between.
_LONGEST_LOOK: Final = 5.0
_LISTEN_EVERY: Final = 1.0
_OTHER_SYMBOLS: Final = 10


class LiveTicks:
    """Looks at the newest tick of the symbol and, while that is silent, of ten other ones."""

    def __init__(self, terminal: Terminal, symbol: str) -> None:
        self.market = MarketTime()
        self._terminal = terminal
        self._symbol = symbol
        # The newest tick's server time, and when it was looked at.
        self._looked: tuple[int, float] | None = None
        self._others: tuple[str, ...] = ()
        self._heard: tuple[list[int], float] | None = None

    def look(self, seconds: float) -> int | None:
        """The server time of a tick that was not there a moment ago, None without one."""
        tick = self._terminal.symbol_info_tick(self._symbol)
        if tick is None:
            return None
        newest_ms = int(tick.time_msc)
        before, self._looked = self._looked, (newest_ms, seconds)
        if before is None or seconds - before[1] > _LONGEST_LOOK:
            return None
        if newest_ms <= before[0]:
            self._listen_to_others(seconds)
            return None
        return newest_ms

    def reset(self) -> None:
        """Begin anew after an outage: what is there now may have come at any time."""
        self.market.reset()
        self._looked = self._heard = None
        self._others = ()

    def _listen_to_others(self, seconds: float) -> None:
        before = self._heard
        if self.market.silence(seconds) < _LONGEST_LOOK:
            return
        if before is not None and seconds - before[1] < _LISTEN_EVERY:
            return
        if not self._others:
            watched = [each for each in self._terminal.symbols_get() or () if each.select]
            names = [str(each.name) for each in watched if each.name != self._symbol]
            self._others = tuple(names[:_OTHER_SYMBOLS]) or (self._symbol,)
        ticks = [self._terminal.symbol_info_tick(name) for name in self._others]
        newest = [0 if tick is None else int(tick.time_msc) for tick in ticks]
        self._heard = newest, seconds
        if before is not None and before[0] != newest:
            # They may have come right after the last look.
            self.market.heard_by(before[1])
