"""The ticks on disk: what the server has not acknowledged survives any crash of the connector."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from mt5_bridge.connector.spool_file import SpoolDamagedError, SpoolFile
from mt5_bridge.connector.spool_retention import Retention
from mt5_bridge.connector.spool_size import SpoolSize
from mt5_bridge.connector.spool_tables import (
    BATCH_BYTES,
    BatchTable,
    SpooledBatch,
    SpoolState,
    StateTable,
)
from mt5_bridge.connector.symbol_states import SymbolStates
from mt5_bridge.protocol.quote_filter import LastGood
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.protocol.wire import MAX_BATCH_ROWS

KEEP_ACKNOWLEDGED_MS: Final = 3_600_000
MAXIMUM_BYTES: Final = 512 << 20


class SpoolFullError(Exception):
    """The spool holds its maximum of ticks that the server has not acknowledged."""


class Spool:
    """The spool in one directory. Its methods may be called from any thread."""

    def __init__(
        self,
        directory: Path,
        *,
        maximum_bytes: int = MAXIMUM_BYTES,
        keep_ms: int = KEEP_ACKNOWLEDGED_MS,
    ) -> None:
        """Open the spool, or make it. Raises `SpoolError`, as every other method may.

        Raises `SpoolDamagedError`, as they may too, once what is read cannot be what was written.

        ``maximum_bytes`` are those of the file; its journal may come to another 32 MB.
        """
        self._maximum_bytes = maximum_bytes
        self._file = SpoolFile(directory)
        self._batches = BatchTable(self._file)
        self._retention = Retention(self._file, self._batches, keep_ms)
        self._states = SymbolStates(StateTable(self._file))
        self._size = SpoolSize(self._batches, self._states.acknowledged)

    def close(self) -> None:
        """Write down what was acknowledged and close the file, also where that fails."""
        with self._file.lock:
            try:
                with self._file.transaction():
                    self._states.write_all()
            finally:
                self._file.close()

    def state(self, symbol: str) -> SpoolState | None:
        """How far a symbol has come; None before `begin`."""
        return self._states.get(symbol)

    def begin(self, symbol: str, after_seq: int) -> None:
        """Forget what is held of ``symbol`` and number its next tick ``after_seq + 1``."""
        with self._file.lock:
            dropped = self._states[symbol].dropped if symbol in self._states else 0
            state = SpoolState(after_seq, after_seq, dropped=dropped)
            with self._file.transaction():
                self._batches.delete_all(symbol)
                self._retention.forget(symbol)
                self._states.write(symbol, state)
            self._set_state(symbol, state)

    def append(self, symbol: str, quotes: Quotes, bookmark: str) -> int:
        """Keep ticks for good and return the last one's number.

        ``bookmark`` is where the source continues after them. Raises `SpoolFullError`, and counts
        them as dropped.
        """
        with self._file.lock:
            state = self._states[symbol]
            batches = list(_batches(state.last_seq + 1, quotes))
            size = sum(len(packed) + BATCH_BYTES for _, packed in batches)
            if self._lacks(size) > 0:
                with self._file.transaction():
                    freed = self._retention.make_room(self._states.acknowledged, self._lacks(size))
                self._size.removed(freed)
            if self._lacks(size) > 0:
                self.drop(symbol, len(quotes))
                raise SpoolFullError(f"the spool is full: {len(quotes)} ticks were dropped")
            state = replace(
                state,
                last_seq=state.last_seq + len(quotes),
                last=_last(quotes) or state.last,
                bookmark=bookmark,
            )
            with self._file.transaction():
                self._batches.insert(symbol, batches)
                self._states.write(symbol, state)
            self._states.grow(symbol, state)
            self._size.added(symbol, size)
            return state.last_seq

    def drop(self, symbol: str, count: int) -> None:
        """Count ticks for which there is no room; `maintain` writes it down."""
        with self._file.lock:
            self._states.drop(symbol, count)

    def read(self, symbol: str, after_seq: int, up_to_seq: int) -> list[SpooledBatch]:
        """The batches with ticks ``after_seq + 1`` to ``up_to_seq``, the first cut to fit.

        The last one may reach beyond. Times never go back from one tick to the next.
        """
        batches = self._batches.read(symbol, after_seq, up_to_seq)
        if any(one.last_seq + 1 != other.first_seq for one, other in pairwise(batches)):
            raise SpoolDamagedError("ticks between others are missing")
        return batches

    def first_seq(self, symbol: str) -> int:
        """The number of the first tick still held; the next one's where there is none."""
        with self._file.lock:
            first_seq = self._batches.first_seq(symbol)
            return self._states[symbol].last_seq + 1 if first_seq is None else first_seq

    def last_seq(self, symbol: str) -> int | None:
        """The number that was given last; None before `begin`."""
        state = self._states.get(symbol)
        return None if state is None else state.last_seq

    def time_at(self, symbol: str, seq: int) -> int | None:
        """The time of tick ``seq`` in milliseconds; None where it is not held."""
        batches = self.read(symbol, seq - 1, seq)
        is_held = bool(batches) and batches[0].first_seq == seq
        return int(batches[0].quotes.time_ms[0]) if is_held else None

    def seq_at(self, symbol: str, time_ms: int) -> int:
        """The number of the last tick not later than ``time_ms``.

        It is the number before the first held tick where all are later.
        """
        with self._file.lock:
            first_seq, last_seq = self.first_seq(symbol), self._states[symbol].last_seq
            return self._batches.seq_at(symbol, time_ms, first_seq, last_seq)

    def acknowledge(self, symbol: str, seq: int) -> None:
        """Note that the server has everything up to ``seq``; `maintain` writes it down.

        Should a crash come first, ticks are sent once more than needed and refused by their number.
        """
        self._states.acknowledge(symbol, seq)

    def renumber(self, symbol: str, after_seq: int) -> None:
        """Renumber the unacknowledged ticks from ``after_seq + 1`` on.

        For a server that remembers more of this connector than its spool does.
        """
        with self._file.lock:
            before = self._states[symbol]
            delta = after_seq - before.acknowledged_seq
            state = replace(before, last_seq=before.last_seq + delta, acknowledged_seq=after_seq)
            with self._file.transaction():
                self._batches.delete_through(symbol, before.acknowledged_seq)
                self._retention.forget(symbol)
                self._batches.renumber(symbol, delta)
                self._states.write(symbol, state)
            self._set_state(symbol, state)

    def maintain(self, now_ms: int) -> None:
        """Write down what was acknowledged, and delete what was for an hour."""
        with self._file.lock:
            freed = 0
            with self._file.transaction():
                for symbol, seq in self._states.acknowledged.items():
                    freed += self._retention.expire(symbol, seq, now_ms)
                self._states.write_all()
            self._size.removed(freed)
            for symbol, seq in self._states.acknowledged.items():
                self._size.count(symbol, seq)
            self._file.give_back_pages()

    @property
    def identity(self) -> str:
        """What tells this spool's numbers from another's; random, made with it."""
        return self._file.identity

    @property
    def has_room(self) -> bool:
        """Whether a tenth of the spool is free, or would be without acknowledged ticks."""
        return self._size.unacknowledged < self._maximum_bytes * 9 // 10

    @property
    def size(self) -> SpoolSize:
        return self._size

    def _lacks(self, size: int) -> int:
        """How many bytes have to go before ``size`` more fit."""
        return self._size.total + size - self._maximum_bytes

    def _set_state(self, symbol: str, state: SpoolState) -> None:
        self._states.set(symbol, state)
        self._size.count_anew(symbol, state.acknowledged_seq)


def _batches(first_seq: int, quotes: Quotes) -> Iterator[tuple[SpooledBatch, bytes]]:
    for start in range(0, len(quotes), MAX_BATCH_ROWS):
        part = quotes.part(start, start + MAX_BATCH_ROWS)
        yield SpooledBatch(first_seq + start, part), part.pack()


def _last(quotes: Quotes) -> LastGood | None:
    return LastGood(int(quotes.time_ms[-1]), float(quotes.bid[-1])) if len(quotes) else None
