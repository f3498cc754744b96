"""The three tables of the spool: each symbol's state, its ticks, and when they were acknowledged.

Ticks lie in packed batches of up to a thousand, so that a commit costs the same for one tick and
for many.
"""

import heapq
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mt5_bridge.connector.spool_file import SpoolDamagedError, SpoolFile
from mt5_bridge.protocol.quote_filter import LastGood
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.protocol.wire import MAX_BATCH_ROWS

BATCH_BYTES: Final = 52
"""What a batch costs on the disk besides its ticks, in its row and in the index."""

_SIZE: Final = f"total(length(ticks) + {BATCH_BYTES})"


@dataclass(frozen=True, slots=True)
class SpoolState:
    """How far one symbol's ticks have come.

    `last_seq` was given last, `acknowledged_seq` is what the server confirmed; `last` is the last
    tick, for the tick filter. `bookmark` is the source's own mark behind the last tick, None before
    the first. `dropped` counts the ticks that found no room.
    """

    last_seq: int = 0
    acknowledged_seq: int = 0
    last: LastGood = field(default_factory=LastGood)
    bookmark: str | None = None
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class SpooledBatch:
    """Consecutive ticks of one symbol; the first has number `first_seq`."""

    first_seq: int
    quotes: Quotes

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.quotes) - 1

    def after(self, seq: int) -> "SpooledBatch":
        """The batch without the ticks up to ``seq``."""
        if self.first_seq > seq:
            return self
        return SpooledBatch(seq + 1, self.quotes.part(seq + 1 - self.first_seq))

    def up_to(self, seq: int) -> "SpooledBatch":
        """The batch without the ticks beyond ``seq``."""
        return SpooledBatch(self.first_seq, self.quotes.part(0, seq + 1 - self.first_seq))


class StateTable:
    def __init__(self, file: SpoolFile) -> None:
        self._file = file

    def read_all(self) -> dict[str, SpoolState]:
        with self._file.reading():
            rows = self._file.execute("SELECT symbol, stand FROM symbols").fetchall()
        return {symbol: _state(text) for symbol, text in rows}

    def write(self, symbol: str, state: SpoolState) -> None:
        self._file.execute(
            "INSERT INTO symbols VALUES (?, ?)"
            " ON CONFLICT (symbol) DO UPDATE SET stand = excluded.stand",
            (symbol, _text(state)),
        )


class BatchTable:
    """The ticks. A batch is found by its last number; times never go back from one to the next."""

    def __init__(self, file: SpoolFile) -> None:
        self._file = file

    def insert(self, symbol: str, batches: Sequence[tuple[SpooledBatch, bytes]]) -> None:
        self._file.executemany(
            "INSERT INTO runs (symbol, last_seq, first_seq, last_time_ms, ticks, crc)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    *(symbol, batch.last_seq, batch.first_seq),
                    *(int(batch.quotes.time_ms[-1]), packed, zlib.crc32(packed)),
                )
                for batch, packed in batches
            ],
        )

    def read(self, symbol: str, after_seq: int, up_to_seq: int) -> list[SpooledBatch]:
        """The batches with ticks ``after_seq + 1`` to ``up_to_seq``, the first cut to fit.

        The last one may reach beyond.
        """
        # The batch of the last tick ends soon behind it: without that bound all would be read.
        ends_seq = up_to_seq + MAX_BATCH_ROWS
        with self._file.reading():
            rows = self._file.execute(
                "SELECT first_seq, last_seq, ticks, crc FROM runs WHERE symbol = ?"
                " AND last_seq > ? AND last_seq < ? AND first_seq <= ? ORDER BY last_seq",
                (symbol, after_seq, ends_seq, up_to_seq),
            ).fetchall()
        batches = [_batch(*row) for row in rows]
        return [batches[0].after(after_seq), *batches[1:]] if batches else []

    def first_seq(self, symbol: str) -> int | None:
        """The number of the first tick held; None where there is none."""
        with self._file.reading():
            found = self._file.execute(
                "SELECT first_seq FROM runs WHERE symbol = ? ORDER BY last_seq LIMIT 1", (symbol,)
            ).fetchone()
        return None if found is None else int(found[0])

    def seq_at(self, symbol: str, time_ms: int, first_seq: int, last_seq: int) -> int:
        """The number of the last tick not later than ``time_ms``.

        The ticks held are ``first_seq`` to ``last_seq``; where all are later it is the number
        before the first.
        """
        with self._file.reading():
            low, high = first_seq, last_seq + 1
            while low < high:
                batch_first, batch_last, last_time_ms = self._bounds(symbol, (low + high) // 2)
                if last_time_ms <= time_ms:
                    low = batch_last + 1
                else:
                    high = batch_first
            batches = self.read(symbol, low - 1, low)
        if not batches:
            return low - 1
        return low - 1 + int((batches[0].quotes.time_ms <= time_ms).sum())

    def delete_all(self, symbol: str) -> None:
        self._file.execute("DELETE FROM runs WHERE symbol = ?", (symbol,))

    def delete_through(self, symbol: str, seq: int) -> None:
        """Delete the batches that end at or before ``seq``."""
        self._file.execute("DELETE FROM runs WHERE symbol = ? AND last_seq <= ?", (symbol, seq))

    def renumber(self, symbol: str, delta: int) -> None:
        """Raise all numbers of ``symbol`` by ``delta``."""
        # In two steps: the numbers of neighbours would meet half-way.
        self._file.execute(
            "UPDATE runs SET last_seq = -last_seq - ? WHERE symbol = ?", (delta, symbol)
        )
        self._file.execute(
            "UPDATE runs SET last_seq = -last_seq, first_seq = first_seq + ? WHERE symbol = ?",
            (delta, symbol),
        )

    def total_bytes(self) -> int:
        """The bytes that all batches take on the disk."""
        return self._total("")

    def bytes_between(self, symbol: str, after_seq: int, up_to_seq: int) -> int:
        """The bytes of the batches that end behind ``after_seq``, up to ``up_to_seq``."""
        return self._total(
            "WHERE symbol = ? AND last_seq > ? AND last_seq <= ?", symbol, after_seq, up_to_seq
        )

    def oldest_before(self, seqs: Mapping[str, int]) -> Iterator[tuple[int, str, int, int]]:
        """Yield last time, symbol, last number and bytes of batches that end before ``seqs``.

        Of all symbols, the oldest first.
        """
        return heapq.merge(*(self._before(symbol, seq) for symbol, seq in seqs.items()))

    def _before(self, symbol: str, seq: int) -> Iterator[tuple[int, str, int, int]]:
        # One by one: seldom is more than the first few wanted.
        last_seq = 0
        while row := self._file.execute(
            f"SELECT last_time_ms, symbol, last_seq, length(ticks) + {BATCH_BYTES} FROM runs"  # noqa: S608
            " WHERE symbol = ? AND last_seq > ? AND last_seq < ? ORDER BY last_seq LIMIT 1",
            (symbol, last_seq, seq),
        ).fetchone():
            yield row
            last_seq = int(row[2])

    def _bounds(self, symbol: str, seq: int) -> tuple[int, int, int]:
        """First and last number and the last time of the batch that holds ``seq``."""
        found = self._file.execute(
            "SELECT first_seq, last_seq, last_time_ms FROM runs"
            " WHERE symbol = ? AND last_seq >= ? ORDER BY last_seq LIMIT 1",
            (symbol, seq),
        ).fetchone()
        if found is None:
            raise SpoolDamagedError("the last ticks are missing")
        first_seq, last_seq, last_time_ms = found
        return int(first_seq), int(last_seq), int(last_time_ms)

    def _total(self, where: str, *values: str | int) -> int:
        with self._file.reading():
            query = f"SELECT {_SIZE} FROM runs {where}"  # noqa: S608
            return int(self._file.execute(query, values).fetchone()[0])


class AcknowledgementTable:
    """Which number of a symbol was acknowledged when, so that ticks are kept for an hour more."""

    def __init__(self, file: SpoolFile) -> None:
        self._file = file

    def note(self, symbol: str, seq: int, now_ms: int) -> None:
        """Note an acknowledgement; one that is lower than before takes the higher ones back."""
        execute = self._file.execute
        execute("DELETE FROM acknowledgements WHERE symbol = ? AND seq > ?", (symbol, seq))
        execute(
            "INSERT INTO acknowledgements VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (symbol, seq, now_ms),
        )

    def last_before(self, symbol: str, now_ms: int, keep_ms: int) -> int | None:
        """The highest number acknowledged more than ``keep_ms`` ago, None without any."""
        # A clock that was put back must not keep them for ever.
        found = self._file.execute(
            "SELECT max(seq) FROM acknowledgements"
            " WHERE symbol = ? AND time_ms NOT BETWEEN ? AND ?",
            (symbol, now_ms - keep_ms, now_ms + keep_ms),
        ).fetchone()[0]
        return None if found is None else int(found)

    def delete_before(self, symbol: str, seq: int) -> None:
        self._file.execute(
            "DELETE FROM acknowledgements WHERE symbol = ? AND seq < ?", (symbol, seq)
        )

    def delete_all(self, symbol: str) -> None:
        self._file.execute("DELETE FROM acknowledgements WHERE symbol = ?", (symbol,))


def _batch(first_seq: int, last_seq: int, packed: bytes, crc: int | None) -> SpooledBatch:
    """The batch of a row; raises `SpoolDamagedError` where it is not what was written."""
    if crc is not None and zlib.crc32(packed) != crc:
        raise SpoolDamagedError(f"ticks {first_seq} to {last_seq} are not what was written")
    try:
        batch = SpooledBatch(first_seq, Quotes.unpack(packed))
    except ValueError:
        raise SpoolDamagedError(f"ticks {first_seq} to {last_seq} cannot be read") from None
    if batch.last_seq != last_seq:
        raise SpoolDamagedError(f"of ticks {first_seq} to {last_seq} some are missing")
    return batch


def _text(state: SpoolState) -> str:
    return json.dumps(
        [
            state.last_seq,
            state.acknowledged_seq,
            state.last.time_ms,
            state.last.bid,
            state.bookmark,
            state.dropped,
        ]
    )


def _state(text: str) -> SpoolState:
    try:
        last_seq, acknowledged_seq, time_ms, bid, bookmark, dropped = json.loads(text)
    except ValueError:
        raise SpoolDamagedError("how far a symbol has come cannot be read") from None
    return SpoolState(last_seq, acknowledged_seq, LastGood(time_ms, bid), bookmark, dropped)
