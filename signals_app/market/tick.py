"""Ticks: one quote, and a run of quotes held as columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from signals_app.market.instrument import PRICE_DECIMALS

Int64s: TypeAlias = NDArray[np.int64]
Float64s: TypeAlias = NDArray[np.float64]

_ROW = np.dtype([("time_ms", "<i8"), ("bid", "<f8"), ("ask", "<f8")])


def quantise_all(prices: Float64s) -> Float64s:
    """Put prices on the five-decimal grid, bit for bit as `instrument.quantise` does."""
    grid = 10.0**PRICE_DECIMALS
    # Plus zero: `rint` keeps the sign of what it rounds to nothing.
    return np.asarray(np.rint(prices * grid) / grid + 0.0, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Tick:
    """One quote. `ordinal` is its place among all accepted ticks of the symbol, from 1 on."""

    ordinal: int
    time_ms: int
    bid: float
    ask: float

    @property
    def spread(self) -> float:
        """Ask minus bid, in price."""
        return self.ask - self.bid


@dataclass(frozen=True, slots=True, eq=False)
class Ticks:
    """Consecutive ticks of one symbol, oldest first, as equally long columns.

    The first has ordinal `first_ordinal`; the others follow without a hole. Times never go back.
    """

    first_ordinal: int
    time_ms: Int64s
    bid: Float64s
    ask: Float64s

    def __len__(self) -> int:
        return len(self.time_ms)

    def __getitem__(self, index: int) -> Tick:
        return Tick(
            ordinal=self.first_ordinal + index,
            time_ms=int(self.time_ms[index]),
            bid=float(self.bid[index]),
            ask=float(self.ask[index]),
        )

    def __iter__(self) -> Iterator[Tick]:
        columns = zip(self.time_ms.tolist(), self.bid.tolist(), self.ask.tolist(), strict=True)
        for ordinal, (time_ms, bid, ask) in enumerate(columns, self.first_ordinal):
            yield Tick(ordinal, time_ms, bid, ask)

    @property
    def last_ordinal(self) -> int:
        """The ordinal of the last tick; `first_ordinal - 1` where there is none."""
        return self.first_ordinal + len(self) - 1

    def part(self, start: int, stop: int | None = None) -> "Ticks":
        """The ticks at places ``start`` to ``stop`` (exclusive), ordinals kept."""
        return Ticks(
            self.first_ordinal + start,
            self.time_ms[start:stop],
            self.bid[start:stop],
            self.ask[start:stop],
        )

    def after(self, ordinal: int) -> "Ticks":
        """The ticks whose ordinal is above ``ordinal``."""
        return self.part(min(max(ordinal + 1 - self.first_ordinal, 0), len(self)))

    def pack(self) -> bytes:
        """The columns as little-endian rows of time, bid and ask (24 bytes a tick)."""
        rows = np.empty(len(self), dtype=_ROW)
        rows["time_ms"], rows["bid"], rows["ask"] = self.time_ms, self.bid, self.ask
        return rows.tobytes()

    @classmethod
    def unpack(cls, first_ordinal: int, packed: bytes) -> "Ticks":
        """The ticks of `pack`; raises `ValueError` where the length is not whole rows."""
        rows = np.frombuffer(packed, dtype=_ROW)
        return cls(
            first_ordinal,
            np.ascontiguousarray(rows["time_ms"]),
            np.ascontiguousarray(rows["bid"]),
            np.ascontiguousarray(rows["ask"]),
        )

    @classmethod
    def join(cls, parts: "list[Ticks]") -> "Ticks":
        """Consecutive runs as one; ``parts`` is not empty and without holes."""
        return cls(
            parts[0].first_ordinal,
            np.concatenate([part.time_ms for part in parts]),
            np.concatenate([part.bid for part in parts]),
            np.concatenate([part.ask for part in parts]),
        )
