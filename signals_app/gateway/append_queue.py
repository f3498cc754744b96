"""What one session has read and not stored yet, symbol by symbol. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from signals_app.gateway.append_plan import Batch

MAX_APPEND_ROWS: Final = 5_000
"""Ticks that one append, and so one stream entry, gathers at most; a longer frame stays whole."""

_Item: TypeAlias = Batch | int


@dataclass(frozen=True, slots=True)
class Portion:
    """What one append takes of a symbol: batches, and the watermark behind them.

    `received_at` is when the oldest of what waited was read, on the caller's clock.
    """

    symbol: str
    batches: list[Batch]
    watermark_ms: int | None
    received_at: float


@dataclass(slots=True)
class AppendQueue:
    """Batches, and watermarks between them, in the order they came. `row_count` ticks wait."""

    row_count: int = 0
    _waiting: dict[str, "_Waiting"] = field(default_factory=dict)

    def add_batch(self, symbol: str, batch: Batch, received_at: float) -> None:
        """Put ticks behind what waits for their symbol."""
        self._add(symbol, batch, received_at)
        self.row_count += len(batch.rows)

    def add_watermark(self, symbol: str, time_ms: int, received_at: float) -> None:
        """Put a watermark behind the ticks that it follows."""
        self._add(symbol, time_ms, received_at)

    def take(self) -> list[Portion]:
        """Take the first portion of every symbol that has something waiting."""
        portions = []
        for symbol, waiting in self._waiting.items():
            if waiting.items:
                portion = waiting.take(symbol)
                self.row_count -= count_rows(portion.batches)
                portions.append(portion)
        return portions

    def discard(self, symbol: str) -> list[Batch]:
        """Forget what waits for a symbol; return its batches."""
        waiting = self._waiting.pop(symbol, None)
        batches = (
            [] if waiting is None else [one for one in waiting.items if isinstance(one, Batch)]
        )
        self.row_count -= count_rows(batches)
        return batches

    def discard_all(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self.row_count = 0

    def __bool__(self) -> bool:
        return any(waiting.items for waiting in self._waiting.values())

    def _add(self, symbol: str, item: _Item, received_at: float) -> None:
        waiting = self._waiting.get(symbol)
        if waiting is None:
            waiting = self._waiting[symbol] = _Waiting()
        if not waiting.items:
            waiting.received_at = received_at
        waiting.items.append(item)


@dataclass(slots=True)
class _Waiting:
    """What waits for one symbol; watermarks are integers."""

    items: deque[_Item] = field(default_factory=deque)
    received_at: float = 0.0

    def take(self, symbol: str) -> Portion:
        batches: list[Batch] = []
        rows = 0
        while self.items:
            item = self.items[0]
            if isinstance(item, int):
                self.items.popleft()
                return Portion(symbol, batches, item, self.received_at)
            if batches and rows + len(item.rows) > MAX_APPEND_ROWS:
                break
            self.items.popleft()
            batches.append(item)
            rows += len(item.rows)
        return Portion(symbol, batches, None, self.received_at)


def count_rows(batches: Iterable[Batch]) -> int:
    """The number of ticks in batches."""
    return sum(len(batch.rows) for batch in batches)
