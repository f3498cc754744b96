"""Quotes of one symbol, held as columns, and the five-decimal price grid."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.protocol.wire import Row

Int64s: TypeAlias = NDArray[np.int64]
Float64s: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
PlainRow: TypeAlias = tuple[int, float, float, float | None, float | None]

PRICE_DECIMALS: Final = 5
DAY_MS: Final = 86_400_000
_ROW = np.dtype([("time_ms", "<i8"), ("bid", "<f8"), ("ask", "<f8")])
_FULL_ROW = np.dtype([*_ROW.descr, ("last", "<f8"), ("volume", "<f8")])


@dataclass(frozen=True, slots=True, eq=False)
class Quotes:
    """Quotes of one symbol in the order they came, as equally long columns.

    Times are Unix milliseconds. `last` and `volume` are None where no quote has any; NaN in them
    stands for one quote without.
    """

    time_ms: Int64s
    bid: Float64s
    ask: Float64s
    last: Float64s | None = None
    volume: Float64s | None = None

    def __len__(self) -> int:
        return len(self.time_ms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quotes) and self.rows() == other.rows()

    __hash__ = None  # type: ignore[assignment]  # columns can be compared, not hashed

    @classmethod
    def of(cls, rows: Iterable[Sequence[float | None]]) -> Self:
        """Quotes from plain rows `(time_ms, bid, ask[, last[, volume]])`."""
        return cls.from_rows([Row(*row) for row in rows])  # type: ignore[arg-type]

    @classmethod
    def from_rows(cls, rows: Sequence[Row]) -> Self:
        """The quotes of a batch's rows."""
        return cls(
            np.array([row.time_ms for row in rows], dtype=np.int64),
            np.array([row.bid for row in rows], dtype=np.float64),
            np.array([row.ask for row in rows], dtype=np.float64),
            _optional([row.last for row in rows]),
            _optional([row.volume for row in rows]),
        )

    @classmethod
    def empty(cls) -> Self:
        return cls.from_rows([])

    def rows(self) -> list[PlainRow]:
        """The quotes as the rows of a batch."""
        return list(
            zip(
                self.time_ms.tolist(),
                self.bid.tolist(),
                self.ask.tolist(),
                _plain(self.last, len(self)),
                _plain(self.volume, len(self)),
                strict=True,
            )
        )

    def part(self, start: int, stop: int | None = None) -> Self:
        """The quotes at places ``start`` to ``stop`` (exclusive)."""
        return self._pick(slice(start, stop))

    def where(self, mask: Bools) -> Self:
        """The quotes at which ``mask`` is true."""
        return self._pick(mask)

    @classmethod
    def join(cls, parts: "Sequence[Quotes]") -> Self:
        """Put several runs, one behind the other, into one."""
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([part.time_ms for part in parts]),
            np.concatenate([part.bid for part in parts]),
            np.concatenate([part.ask for part in parts]),
            _joined([(part.last, len(part)) for part in parts]),
            _joined([(part.volume, len(part)) for part in parts]),
        )

    def pack(self) -> bytes:
        """One letter for the form (`b` bid and ask, `f` full) and little-endian rows."""
        full = self.last is not None or self.volume is not None
        rows = np.empty(len(self), dtype=_FULL_ROW if full else _ROW)
        rows["time_ms"], rows["bid"], rows["ask"] = self.time_ms, self.bid, self.ask
        if full:
            rows["last"] = np.nan if self.last is None else self.last
            rows["volume"] = np.nan if self.volume is None else self.volume
        return (b"f" if full else b"b") + rows.tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """What `pack` made; raises `ValueError` where it is not whole rows."""
        full = packed[:1] == b"f"
        rows = np.frombuffer(packed, dtype=_FULL_ROW if full else _ROW, offset=1)
        return cls(
            np.ascontiguousarray(rows["time_ms"]),
            np.ascontiguousarray(rows["bid"]),
            np.ascontiguousarray(rows["ask"]),
            _without_nothing(rows["last"]) if full else None,
            _without_nothing(rows["volume"]) if full else None,
        )

    def _pick(self, places: slice | Bools) -> Self:
        return type(self)(
            self.time_ms[places],
            self.bid[places],
            self.ask[places],
            None if self.last is None else self.last[places],
            None if self.volume is None else self.volume[places],
        )


def quantise(prices: Float64s) -> Float64s:
    """The prices on the five-decimal grid that the whole product stands on."""
    grid = 10.0**PRICE_DECIMALS
    with np.errstate(over="ignore", invalid="ignore"):
        # Plus zero: `rint` keeps the sign of what it rounds to nothing.
        return np.asarray(np.rint(prices * grid) / grid + 0.0, dtype=np.float64)


def _optional(values: list[float | None]) -> Float64s | None:
    if values.count(None) == len(values):
        return None
    return np.array(values, dtype=np.float64)


def _without_nothing(values: Float64s) -> Float64s | None:
    return None if np.all(np.isnan(values)) else np.ascontiguousarray(values)


def _plain(values: Float64s | None, count: int) -> Sequence[float | None]:
    if values is None:
        return [None] * count
    return [None if math.isnan(value) else value for value in values.tolist()]


def _joined(columns: list[tuple[Float64s | None, int]]) -> Float64s | None:
    if all(column is None for column, _ in columns):
        return None
    return np.concatenate(
        [np.full(count, np.nan) if column is None else column for column, count in columns]
    )
