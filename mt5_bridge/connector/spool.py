"""The ticks on disk: what the server has not acknowledged survives any crash of the connector.

One SQLite file in write-ahead mode, flushed to the disk at every commit. Ticks lie in it as packed
runs of up to a thousand, so that a commit costs the same for one tick and for many.
"""

import heapq
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from mt5_bridge.protocol.quote_filter import LastGood
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.protocol.wire import MAX_BATCH_ROWS

KEEP_ACKNOWLEDGED_MS: Final = 3_600_000
MAXIMUM_BYTES: Final = 512 << 20
RUN_BYTES: Final = 52
"""What a run costs on the disk besides its ticks, in its row and in the index."""
FILE_NAME: Final = "spool.sqlite3"

_TABLES = """
CREATE TABLE IF NOT EXISTS symbols (
    symbol TEXT PRIMARY KEY, stand TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    symbol TEXT NOT NULL, last_seq INTEGER NOT NULL, first_seq INTEGER NOT NULL,
    last_time_ms INTEGER NOT NULL, ticks BLOB NOT NULL,
    PRIMARY KEY (symbol, last_seq)
);
CREATE TABLE IF NOT EXISTS acknowledgements (
    symbol TEXT NOT NULL, seq INTEGER NOT NULL, time_ms INTEGER NOT NULL,
    PRIMARY KEY (symbol, seq)
) WITHOUT ROWID;
"""


_SIZE: Final = f"total(length(ticks) + {RUN_BYTES})"


class SpoolError(Exception):
    """The spool cannot be used, now at least: one sentence that says what to do."""


class SpoolFullError(Exception):
    """The spool holds its maximum of ticks that the server has not acknowledged."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one symbol's numbering stands.

    `last_seq` was given last, `acknowledged_seq` is what the server confirmed; `last` the last
    tick, for the filter. `bookmark` is the source's own mark behind the last tick, None before the
    first. `dropped` counts the ticks that found no room.
    """

    last_seq: int
    acknowledged_seq: int
    last: LastGood = field(default_factory=LastGood)
    bookmark: str | None = None
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive ticks of one symbol; the first has number `first_seq`."""

    first_seq: int
    quotes: Quotes

    @property
    def last_seq(self) -> int:
        """Return the number of the last tick."""
        return self.first_seq + len(self.quotes) - 1


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

        ``maximum_bytes`` are those of the file; its journal may come to another 32 MB.
        """
        self._maximum_bytes = maximum_bytes
        self._keep_ms = keep_ms
        self._lock = threading.RLock()
        self._database = _open(directory)
        rows = self._database.execute("SELECT symbol, stand FROM symbols")
        # Read without the lock: who only looks must not wait for a disk that is slow to flush.
        self._stands = {symbol: _read_stand(text) for symbol, text in rows}
        self._acknowledged = {
            symbol: stand.acknowledged_seq for symbol, stand in self._stands.items()
        }
        self._bytes = self._total("")
        # Up to which number the server had acknowledged, and the bytes behind it.
        self._behind: dict[str, tuple[int, int]] = {}
        for symbol in self._stands:
            self._count_behind(symbol)

    def close(self) -> None:
        """Write down what was acknowledged and close the file."""
        with self._lock:
            with self._commit():
                self._write_stands()
            self._database.close()

    def stand(self, symbol: str) -> Stand | None:
        """Return where a symbol stands; None before `begin`."""
        stand = self._stands.get(symbol)
        if stand is None:
            return None
        return replace(stand, acknowledged_seq=self._acknowledged[symbol])

    def begin(self, symbol: str, after_seq: int) -> None:
        """Forget what is held of ``symbol`` and number its next tick ``after_seq + 1``."""
        with self._lock:
            dropped = self._stands[symbol].dropped if symbol in self._stands else 0
            stand = Stand(after_seq, after_seq, dropped=dropped)
            with self._commit():
                for table in ("runs", "acknowledgements"):
                    self._database.execute(
                        f"DELETE FROM {table} WHERE symbol = ?",  # noqa: S608
                        (symbol,),
                    )
                self._write(symbol, stand)
            self._set(symbol, stand)

    def append(self, symbol: str, quotes: Quotes, bookmark: str) -> int:
        """Keep ticks for good and return the last one's number.

        ``bookmark`` is where the source continues after them. Raises `SpoolFullError`, and counts
        them as dropped.
        """
        with self._lock:
            stand = self._stands[symbol]
            runs = list(_runs(stand.last_seq + 1, quotes))
            size = sum(len(ticks) + RUN_BYTES for _, ticks in runs)
            if self._bytes + size > self._maximum_bytes:
                self._make_room(size)
            if self._bytes + size > self._maximum_bytes:
                self.drop(symbol, len(quotes))
                raise SpoolFullError(f"the spool is full: {len(quotes)} ticks were dropped")
            with self._commit():
                self._database.executemany(
                    "INSERT INTO runs VALUES (?, ?, ?, ?, ?)",
                    [
                        (symbol, run.last_seq, run.first_seq, int(run.quotes.time_ms[-1]), ticks)
                        for run, ticks in runs
                    ],
                )
                stand = replace(
                    stand,
                    last_seq=stand.last_seq + len(quotes),
                    acknowledged_seq=self._acknowledged[symbol],
                    last=_last(quotes) or stand.last,
                    bookmark=bookmark,
                )
                self._write(symbol, stand)
            self._stands[symbol] = stand
            self._bytes += size
            counted_seq, behind = self._behind[symbol]
            self._behind[symbol] = counted_seq, behind + size
            return stand.last_seq

    def drop(self, symbol: str, count: int) -> None:
        """Count ticks for which there is no room; `maintain` writes it down."""
        with self._lock:
            stand = self._stands[symbol]
            self._stands[symbol] = replace(stand, dropped=stand.dropped + count)

    def read(self, symbol: str, after_seq: int, up_to_seq: int) -> list[Run]:
        """Return the runs with ticks ``after_seq + 1`` to ``up_to_seq``, the first one cut to fit.

        The last run may reach beyond. Times never go back from one tick to the next.
        """
        # A run of the last tick ends soon behind it: without that bound all would be looked at.
        ends_seq = up_to_seq + MAX_BATCH_ROWS
        with self._looking():
            rows = self._database.execute(
                "SELECT first_seq, ticks FROM runs WHERE symbol = ?"
                " AND last_seq > ? AND last_seq < ? AND first_seq <= ? ORDER BY last_seq",
                (symbol, after_seq, ends_seq, up_to_seq),
            ).fetchall()
        runs = [Run(first_seq, Quotes.unpack(ticks)) for first_seq, ticks in rows]
        if runs and runs[0].first_seq <= after_seq:
            known = after_seq + 1 - runs[0].first_seq
            runs[0] = Run(after_seq + 1, runs[0].quotes.part(known))
        return runs

    def first_seq(self, symbol: str) -> int:
        """Return the number of the first tick still held; the next one's where there is none."""
        with self._looking():
            found = self._database.execute(
                "SELECT first_seq FROM runs WHERE symbol = ? ORDER BY last_seq LIMIT 1", (symbol,)
            ).fetchone()
            return int(found[0]) if found is not None else self._stands[symbol].last_seq + 1

    def last_seq(self, symbol: str) -> int | None:
        """Return the number that was given last; None before `begin`."""
        stand = self._stands.get(symbol)
        return None if stand is None else stand.last_seq

    def time_at(self, symbol: str, seq: int) -> int | None:
        """Return the time of tick ``seq`` in milliseconds; None where it is not held."""
        runs = self.read(symbol, seq - 1, seq)
        return int(runs[0].quotes.time_ms[0]) if runs and runs[0].first_seq == seq else None

    def seq_at(self, symbol: str, time_ms: int) -> int:
        """Return the number of the last tick not later than ``time_ms``.

        It is the number before the first held tick where all are later.
        """
        with self._looking():
            # Times never go back from run to run, so that a few looks find the right one.
            low, high = self.first_seq(symbol), self._stands[symbol].last_seq + 1
            while low < high:
                first_seq, last_seq, last_time_ms = self._run_of(symbol, (low + high) // 2)
                if last_time_ms <= time_ms:
                    low = last_seq + 1
                else:
                    high = first_seq
            runs = self.read(symbol, low - 1, low)
        if not runs:
            return low - 1
        return low - 1 + int((runs[0].quotes.time_ms <= time_ms).sum())

    def acknowledge(self, symbol: str, seq: int) -> None:
        """Note that the server has everything up to ``seq``; `maintain` writes it down.

        Should a crash come first, ticks are sent once more than needed and refused by their number.
        """
        if symbol in self._stands:
            self._acknowledged[symbol] = min(seq, self._stands[symbol].last_seq)

    def lift(self, symbol: str, above_seq: int) -> None:
        """Renumber the unacknowledged ticks from ``above_seq + 1`` on.

        For a server that remembers more of this connector than its spool does.
        """
        with self._lock:
            stand = self._stands[symbol]
            acknowledged_seq = self._acknowledged[symbol]
            delta = above_seq - acknowledged_seq
            with self._commit():
                self._database.execute(
                    "DELETE FROM runs WHERE symbol = ? AND last_seq <= ?",
                    (symbol, acknowledged_seq),
                )
                self._database.execute("DELETE FROM acknowledgements WHERE symbol = ?", (symbol,))
                # Upwards in two steps: the numbers of neighbours would meet half-way.
                for step in ("-last_seq - ?", "-last_seq"):
                    count = step.count("?")
                    self._database.execute(
                        f"UPDATE runs SET last_seq = {step} WHERE symbol = ?",  # noqa: S608
                        (*[delta] * count, symbol),
                    )
                self._database.execute(
                    "UPDATE runs SET first_seq = first_seq + ? WHERE symbol = ?", (delta, symbol)
                )
                stand = replace(stand, last_seq=stand.last_seq + delta, acknowledged_seq=above_seq)
                self._write(symbol, stand)
            self._set(symbol, stand)

    def maintain(self, now_ms: int) -> None:
        """Write down what was acknowledged, and delete what was for an hour."""
        with self._lock:
            freed = 0
            with self._commit():
                for symbol, seq in self._acknowledged.items():
                    freed += self._note_acknowledged(symbol, seq, now_ms)
                self._write_stands()
            self._bytes -= freed
            for symbol in self._stands:
                self._count_behind(symbol)
            with self._looking():
                self._database.executescript("PRAGMA incremental_vacuum(2000)")

    def unacknowledged_bytes(self) -> int:
        """Return the bytes of the ticks that the server had not acknowledged at `maintain`."""
        return sum(size for _, size in self._behind.values())

    @property
    def has_room(self) -> bool:
        """Return whether a tenth of the spool is free, or would be without acknowledged ticks."""
        return self.unacknowledged_bytes() < self._maximum_bytes * 9 // 10

    @property
    def size(self) -> int:
        """Return the bytes of all ticks held."""
        return self._bytes

    def _make_room(self, size: int) -> None:
        """Delete the oldest acknowledged runs until ``size`` more bytes fit, if they do."""
        wanted = self._bytes + size - self._maximum_bytes
        freed, doomed = 0, {}
        with self._commit():
            for _, symbol, last_seq, length in heapq.merge(
                *(self._acknowledged_runs(symbol) for symbol in self._acknowledged)
            ):
                if freed >= wanted:
                    break
                doomed[symbol] = last_seq
                freed += length + RUN_BYTES
            for symbol, last_seq in doomed.items():
                self._database.execute(
                    "DELETE FROM runs WHERE symbol = ? AND last_seq <= ?", (symbol, last_seq)
                )
        self._bytes -= freed

    def _acknowledged_runs(self, symbol: str) -> Iterator[tuple[int, str, int, int]]:
        """Yield time, symbol, last number and length of runs, without the last of them.

        Its time tells where to resume.
        """
        last_seq = 0
        while row := self._database.execute(
            "SELECT last_time_ms, symbol, last_seq, length(ticks) FROM runs"
            " WHERE symbol = ? AND last_seq > ? AND last_seq < ? ORDER BY last_seq LIMIT 1",
            (symbol, last_seq, self._acknowledged[symbol]),
        ).fetchone():
            yield row
            last_seq = int(row[2])

    def _run_of(self, symbol: str, seq: int) -> tuple[int, int, int]:
        """Return first and last number and the last time of the run that holds ``seq``."""
        first_seq, last_seq, last_time_ms = self._database.execute(
            "SELECT first_seq, last_seq, last_time_ms FROM runs"
            " WHERE symbol = ? AND last_seq >= ? ORDER BY last_seq LIMIT 1",
            (symbol, seq),
        ).fetchone()
        return int(first_seq), int(last_seq), int(last_time_ms)

    def _note_acknowledged(self, symbol: str, seq: int, now_ms: int) -> int:
        """Delete what was acknowledged long ago; return how many bytes that were."""
        execute = self._database.execute
        execute("DELETE FROM acknowledgements WHERE symbol = ? AND seq > ?", (symbol, seq))
        execute(
            "INSERT INTO acknowledgements VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (symbol, seq, now_ms),
        )
        # A clock that was put back must not keep them for ever.
        old = execute(
            "SELECT max(seq) FROM acknowledgements"
            " WHERE symbol = ? AND time_ms NOT BETWEEN ? AND ?",
            (symbol, now_ms - self._keep_ms, now_ms + self._keep_ms),
        ).fetchone()[0]
        if old is None:
            return 0
        # The run of the last acknowledged tick stays: its time tells where to resume.
        freed = self._total("WHERE symbol = ? AND last_seq < ?", symbol, old)
        execute("DELETE FROM runs WHERE symbol = ? AND last_seq < ?", (symbol, old))
        execute("DELETE FROM acknowledgements WHERE symbol = ? AND seq < ?", (symbol, old))
        return freed

    def _count_behind(self, symbol: str) -> None:
        """Count the bytes behind what is acknowledged now, from the last count on where it can."""
        seq = self._acknowledged[symbol]
        counted_seq, size = self._behind.get(symbol, (seq + 1, 0))
        if counted_seq <= seq:
            where = "WHERE symbol = ? AND last_seq > ? AND last_seq <= ?"
            size -= self._total(where, symbol, counted_seq, seq)
        else:
            # A server that forgot has taken its acknowledgements back.
            size = self._total("WHERE symbol = ? AND last_seq > ?", symbol, seq)
        self._behind[symbol] = seq, size

    def _total(self, where: str, *values: str | int) -> int:
        """Return the bytes on the disk of the runs that ``where`` names."""
        with self._looking():
            query = f"SELECT {_SIZE} FROM runs {where}"  # noqa: S608
            return int(self._database.execute(query, values).fetchone()[0])

    def _set(self, symbol: str, stand: Stand) -> None:
        self._acknowledged[symbol] = stand.acknowledged_seq
        self._stands[symbol] = stand
        self._bytes = self._total("")
        self._behind.pop(symbol, None)
        self._count_behind(symbol)

    def _write_stands(self) -> None:
        for symbol, seq in self._acknowledged.items():
            self._write(symbol, replace(self._stands[symbol], acknowledged_seq=seq))

    def _write(self, symbol: str, stand: Stand) -> None:
        self._database.execute(
            "INSERT INTO symbols VALUES (?, ?)"
            " ON CONFLICT (symbol) DO UPDATE SET stand = excluded.stand",
            (symbol, _write_stand(stand)),
        )

    @contextmanager
    def _looking(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise SpoolError(f"the spool cannot be read: {error}; check its disk") from error

    @contextmanager
    def _commit(self) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield
            self._database.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise SpoolError(f"the spool cannot be written: {error}; free its disk") from error
            raise


def _open(directory: Path) -> sqlite3.Connection:
    path = directory / FILE_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=2, cached_statements=64
        )
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SpoolError(
            f"the spool directory {directory} cannot be written: {reason}; "
            "give another one with --spool"
        ) from None
    try:
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        # Exclusive: a second connector on the same spool would give the same numbers twice.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL").fetchall()
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA journal_size_limit = 16777216").fetchall()
        database.execute("PRAGMA wal_autocheckpoint = 4000").fetchall()
        database.executescript(_TABLES)
        database.execute("BEGIN IMMEDIATE")
        database.execute("COMMIT")
    except sqlite3.Error as error:
        database.close()
        raise SpoolError(_refusal(path, error)) from None
    return database


def _refusal(path: Path, error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return f"the spool {path} is in use by another connector; give another one with --spool"
    if isinstance(error, sqlite3.OperationalError):
        return f"the spool {path} cannot be written: {error}; give another one with --spool"
    return f"the spool {path} is damaged: {error}; move it away and start again"


def _runs(first_seq: int, quotes: Quotes) -> Iterator[tuple[Run, bytes]]:
    for start in range(0, len(quotes), MAX_BATCH_ROWS):
        part = quotes.part(start, start + MAX_BATCH_ROWS)
        yield Run(first_seq + start, part), part.pack()


def _last(quotes: Quotes) -> LastGood | None:
    return LastGood(int(quotes.time_ms[-1]), float(quotes.bid[-1])) if len(quotes) else None


def _write_stand(stand: Stand) -> str:
    return json.dumps(
        [
            stand.last_seq,
            stand.acknowledged_seq,
            stand.last.time_ms,
            stand.last.bid,
            stand.bookmark,
            stand.dropped,
        ]
    )


def _read_stand(text: str) -> Stand:
    last_seq, acknowledged_seq, time_ms, bid, bookmark, dropped = json.loads(text)
    return Stand(last_seq, acknowledged_seq, LastGood(time_ms, bid), bookmark, dropped)
