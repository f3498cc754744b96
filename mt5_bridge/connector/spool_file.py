"""The spool's file: an SQLite database in write-ahead mode, flushed to disk at every commit."""

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

FILE_NAME: Final = "spool.sqlite3"

_TABLES = """
CREATE TABLE IF NOT EXISTS symbols (
    symbol TEXT PRIMARY KEY, stand TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    symbol TEXT NOT NULL, last_seq INTEGER NOT NULL, first_seq INTEGER NOT NULL,
    last_time_ms INTEGER NOT NULL, ticks BLOB NOT NULL, crc INTEGER,
    PRIMARY KEY (symbol, last_seq)
);
CREATE TABLE IF NOT EXISTS acknowledgements (
    symbol TEXT NOT NULL, seq INTEGER NOT NULL, time_ms INTEGER NOT NULL,
    PRIMARY KEY (symbol, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identity (id TEXT NOT NULL);
"""
_FREED_PAGES: Final = 2000
# A file that is shorter than it was, and a file system that says that it is damaged itself.
_SHORT: Final = (sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS)


class SpoolError(Exception):
    """The spool cannot be used, now at least: one sentence that says what to do."""


class SpoolDamagedError(Exception):
    """What is in the file cannot be what was written: the reason.

    No `SpoolError`: nothing is gained by trying again, and a new spool has to take its place.
    """


class SpoolFile:
    """The database, whose failures become `SpoolError` or `SpoolDamagedError`.

    Used from several threads, one at a time.
    Who needs what is in memory to agree with the file holds `lock` around both.
    """

    def __init__(self, directory: Path) -> None:
        self.lock = threading.RLock()
        self.database = _open(directory)
        #: Random, made with the file: no other spool has it, unless as a copy.
        self.identity: str = self.database.execute("SELECT id FROM identity").fetchone()[0]
        self.execute = self.database.execute
        self.executemany = self.database.executemany

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self.lock:
            try:
                yield
            except sqlite3.Error as error:
                _refuse_damage(error)
                raise SpoolError(f"the spool cannot be read: {error}; check its disk") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block writes, or nothing of it where the block or the disk fails."""
        with self.lock:
            try:
                self.execute("BEGIN IMMEDIATE")
                yield
                self.execute("COMMIT")
            except BaseException as error:
                with suppress(sqlite3.Error):
                    if self.database.in_transaction:
                        self.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    _refuse_damage(error)
                    sentence = f"the spool cannot be written: {error}; free its disk"
                    raise SpoolError(sentence) from error
                raise

    def give_back_pages(self) -> None:
        """Give some of the pages that deletions have emptied back to the disk."""
        with self.reading():
            self.database.executescript(f"PRAGMA incremental_vacuum({_FREED_PAGES})")

    def close(self) -> None:
        with self.lock:
            self.database.close()


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
        _add_checksums(database)
        database.execute("BEGIN IMMEDIATE")
        database.execute(
            "INSERT INTO identity SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)",
            (secrets.token_hex(16),),
        )
        database.execute("COMMIT")
    except sqlite3.Error as error:
        database.close()
        raise SpoolError(_refusal(path, error)) from None
    return database


def _add_checksums(database: sqlite3.Connection) -> None:
    """Give a file of an earlier version the column; its batches have none."""
    columns = [row[1] for row in database.execute("PRAGMA table_info(runs)")]
    if "crc" not in columns:
        database.execute("ALTER TABLE runs ADD COLUMN crc INTEGER")


def _refuse_damage(error: sqlite3.Error) -> None:
    """Raise `SpoolDamagedError` where the disk works, but what it holds is no spool any more."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code in _SHORT or code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        raise SpoolDamagedError(str(error)) from error


def _refusal(path: Path, error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return f"the spool {path} is in use by another connector; give another one with --spool"
    if isinstance(error, sqlite3.OperationalError):
        return f"the spool {path} cannot be written: {error}; give another one with --spool"
    return f"the spool {path} is damaged: {error}; move it away and start again"
