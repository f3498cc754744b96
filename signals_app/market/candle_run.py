"""Candles in a row from one source, each with the spread that a trade on it pays."""

from dataclasses import dataclass

from signals_app.market.calendar import iso
from signals_app.market.candle import Candles
from signals_app.market.tick import Float64s

#: Fewer candles than these are not worth measuring: a window alone takes 200.
SHORTEST_RUN = 300


@dataclass(frozen=True, slots=True, eq=False)
class CandleRun:
    """Candles in a row, oldest first, and each one's spread in price; `name` says where from."""

    name: str
    candles: Candles
    spread: Float64s

    def __len__(self) -> int:
        return len(self.candles)

    def part(self, start: int | None, stop: int | None = None) -> "CandleRun":
        """The candles at places ``start`` to ``stop`` (exclusive), as a view."""
        return CandleRun(self.name, self.candles.part(start, stop), self.spread[start:stop])

    @property
    def description(self) -> str:
        """The source, the number of candles and the first and last opening; not of an empty run."""
        first, last = self.candles.time_ms[[0, -1]].tolist()
        return f"{self.name}: {len(self):,} candles, {iso(first)} to {iso(last)}"

    @property
    def shortage(self) -> str | None:
        """The sentence that says the run is too short; `None` where it is not."""
        if len(self) >= SHORTEST_RUN:
            return None
        return f"{self.name} holds {len(self):,} candles; at least {SHORTEST_RUN} are needed."
