"""Quotes as columns, and the judge that says which of them may enter the market's record."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.protocol.wire import Row

Int64s: TypeAlias = NDArray[np.int64]
Float64s: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
PlainRow: TypeAlias = tuple[int, float, float, float | None, float | None]

PRICE_DECIMALS: Final = 5
# Below this many quotes the plain loop is quicker than a dozen array operations.
_FEW = 12
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
        """Return quotes from plain rows `(time_ms, bid, ask[, last[, volume]])`."""
        return cls.from_rows([Row(*row) for row in rows])  # type: ignore[arg-type]

    @classmethod
    def from_rows(cls, rows: Sequence[Row]) -> Self:
        """Return the quotes of a batch's rows."""
        return cls(
            np.array([row.time_ms for row in rows], dtype=np.int64),
            np.array([row.bid for row in rows], dtype=np.float64),
            np.array([row.ask for row in rows], dtype=np.float64),
            _optional([row.last for row in rows]),
            _optional([row.volume for row in rows]),
        )

    @classmethod
    def empty(cls) -> Self:
        """Return no quotes."""
        return cls.from_rows([])

    def rows(self) -> list[PlainRow]:
        """Return the quotes as the rows of a batch."""
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
        """Return the quotes at places ``start`` to ``stop`` (exclusive)."""
        return self._pick(slice(start, stop))

    def where(self, mask: Bools) -> Self:
        """Return the quotes at which ``mask`` is true."""
        return self._pick(mask)

    @classmethod
    def join(cls, parts: "Sequence[Quotes]") -> Self:
        """Return several runs as one."""
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
        """Return one letter for the form (`b` bid and ask, `f` full) and little-endian rows."""
        full = self.last is not None or self.volume is not None
        rows = np.empty(len(self), dtype=_FULL_ROW if full else _ROW)
        rows["time_ms"], rows["bid"], rows["ask"] = self.time_ms, self.bid, self.ask
        if full:
            rows["last"] = np.nan if self.last is None else self.last
            rows["volume"] = np.nan if self.volume is None else self.volume
        return (b"f" if full else b"b") + rows.tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return what `pack` made; raises `ValueError` where it is not whole rows."""
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


class BadTick(StrEnum):
    """Why a quote was refused; the values are the `reason` labels of the counters."""

    NOT_A_NUMBER = "not_a_number"
    INFINITE = "infinite"
    NOT_POSITIVE = "not_positive"
    CROSSED = "crossed"
    IN_THE_FUTURE = "in_the_future"
    TOO_OLD = "too_old"
    JUMP = "jump"


@dataclass(frozen=True, slots=True)
class LastGood:
    """The last accepted quote of a symbol: newest time and its bid; zeros before the first."""

    time_ms: int = 0
    bid: float = 0.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused quote: its place in what was judged, the rule, and a sentence for people."""

    place: int
    reason: BadTick
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says about some quotes.

    `quotes` are the accepted ones: prices on the five-decimal grid, times never going back.
    `accepted` marks them among the judged. `last` is the state for the next judgement.
    """

    quotes: Quotes
    accepted: Bools
    refusals: tuple[Refusal, ...]
    last: LastGood

    @property
    def reasons(self) -> dict[BadTick, int]:
        """Return how many quotes each rule refused."""
        return dict(Counter(refusal.reason for refusal in self.refusals))


@dataclass(frozen=True, slots=True)
class QuoteJudge:
    """The rules for ticks, one after the other as the wire names them.

    A price must be a positive finite number and the ask not below the bid. The time may lie at
    most `maximum_ahead_ms` in the future, and at most `maximum_back_ms` before the newest accepted
    one; within that it counts as the newest one's time. Bid and ask may be at most `maximum_jump`
    (a share) away from the last good bid.
    """

    maximum_ahead_ms: int = 60_000
    maximum_back_ms: int = 60_000
    maximum_jump: float = 0.20

    def judge(self, quotes: Quotes, last: LastGood, now_ms: int | None = None) -> Verdict:
        """Return which of ``quotes`` may follow ``last``; without ``now_ms`` no future is known."""
        if len(quotes) < _FEW:
            return self.judge_one_by_one(quotes, last, now_ms)
        on_grid = _on_grid(quotes)
        clamped = np.maximum.accumulate(np.maximum(quotes.time_ms, last.time_ms))
        if self._are_all_good(on_grid, clamped, last, now_ms):
            newest = LastGood(int(clamped[-1]), float(on_grid.bid[-1]))
            return Verdict(_at(on_grid, clamped), np.ones(len(quotes), np.bool_), (), newest)
        return self._one_by_one(on_grid, last, now_ms)

    def judge_one_by_one(
        self, quotes: Quotes, last: LastGood, now_ms: int | None = None
    ) -> Verdict:
        """Return the same as `judge`, quote by quote as the rules are written."""
        return self._one_by_one(_on_grid(quotes), last, now_ms)

    def _one_by_one(self, quotes: Quotes, last: LastGood, now_ms: int | None) -> Verdict:
        times, bids, asks = quotes.time_ms.tolist(), quotes.bid.tolist(), quotes.ask.tolist()
        refusals = []
        for place, (time_ms, bid, ask) in enumerate(zip(times, bids, asks, strict=True)):
            refusal = self._refusal(place, time_ms, bid, ask, last, now_ms)
            if refusal is not None:
                refusals.append(refusal)
                continue
            last = LastGood(max(time_ms, last.time_ms), bid)
            times[place] = last.time_ms
        accepted = np.ones(len(quotes), np.bool_)
        judged = _at(quotes, np.array(times, dtype=np.int64))
        if not refusals:
            return Verdict(judged, accepted, (), last)
        accepted[[refusal.place for refusal in refusals]] = False
        return Verdict(judged.where(accepted), accepted, tuple(refusals), last)

    def _are_all_good(
        self, quotes: Quotes, clamped: Int64s, last: LastGood, now_ms: int | None
    ) -> bool:
        # Were every quote accepted, each would be judged against the one before it: a single
        # breach of that is enough to look quote by quote.
        bid, ask = quotes.bid, quotes.ask
        before = np.concatenate(([last.bid or bid[0]], bid[:-1]))
        reach = self.maximum_jump * before
        return bool(
            np.all(bid > 0)
            and np.all(ask >= bid)
            and np.all(np.isfinite(ask))
            and np.all(np.abs(bid - before) <= reach)
            and np.all(ask - before <= reach)
            and quotes.time_ms[0] >= last.time_ms - self.maximum_back_ms
            and np.all(quotes.time_ms[1:] >= clamped[:-1] - self.maximum_back_ms)
            and (now_ms is None or clamped[-1] <= now_ms + self.maximum_ahead_ms)
        )

    def _refusal(
        self,
        place: int,
        time_ms: int,
        bid: float,
        ask: float,
        last: LastGood,
        now_ms: int | None,
    ) -> Refusal | None:
        if math.isnan(bid) or math.isnan(ask):
            return Refusal(place, BadTick.NOT_A_NUMBER, "the price is not a number")
        if math.isinf(bid) or math.isinf(ask):
            return Refusal(place, BadTick.INFINITE, "the price is infinite")
        if bid <= 0 or ask <= 0:
            return Refusal(
                place, BadTick.NOT_POSITIVE, f"the price {min(bid, ask)} is not positive"
            )
        if ask < bid:
            return Refusal(place, BadTick.CROSSED, f"the ask {ask} is below the bid {bid}")
        if now_ms is not None and time_ms > now_ms + self.maximum_ahead_ms:
            ahead = (time_ms - now_ms) / 1000
            return Refusal(place, BadTick.IN_THE_FUTURE, f"the time is {ahead:.1f} s in the future")
        if time_ms < last.time_ms - self.maximum_back_ms:
            back = (last.time_ms - time_ms) / 1000
            text = f"the time is {back:.1f} s before the last one"
            return Refusal(place, BadTick.TOO_OLD, text)
        reach = self.maximum_jump * last.bid
        if last.bid and (abs(bid - last.bid) > reach or ask - last.bid > reach):
            text = f"the quote {bid}/{ask} is over {self.maximum_jump:.0%} away from {last.bid}"
            return Refusal(place, BadTick.JUMP, text)
        return None


def quantise(prices: Float64s) -> Float64s:
    """Return the prices on the five-decimal grid that the whole product stands on."""
    grid = 10.0**PRICE_DECIMALS
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.rint(prices * grid) / grid, dtype=np.float64)


def _on_grid(quotes: Quotes) -> Quotes:
    return Quotes(
        quotes.time_ms, quantise(quotes.bid), quantise(quotes.ask), quotes.last, quotes.volume
    )


def _at(quotes: Quotes, time_ms: Int64s) -> Quotes:
    return Quotes(time_ms, quotes.bid, quotes.ask, quotes.last, quotes.volume)


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
