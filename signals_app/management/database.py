"""The database of a command: the running stack's, or one that is started for it."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, ProgrammingError

from signals_app.management.hints import manage_py


class NoDatabase(CommandError):  # noqa: N818 - it names what happened
    """There is no database to be used; the sentence says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, returncode=2)


class DatabaseOpener(Protocol):
    """Points Django at the database of a data directory, starting it if it is not up.

    Whoever knows how such a database is started is a layer above, and registers itself in its
    `AppConfig.ready()`.
    """

    def __call__(self, data_dir: Path, *, by: str) -> AbstractContextManager[None]:
        """Give a context in which the database answers; ``by`` names the command that uses it.

        Entering it raises `NoDatabase` where there is none.
        """


_registered: list[DatabaseOpener] = []


def register(opener: DatabaseOpener) -> None:
    """Make this the process's opener; called once, by `AppConfig.ready()`."""
    _registered[:] = [opener]


@contextmanager
def replaced(opener: DatabaseOpener) -> Iterator[None]:
    """Put another opener in the registered one's place for a while, as a test does with a fake."""
    before = list(_registered)
    register(opener)
    try:
        yield
    finally:
        _registered[:] = before


def add_data_dir_argument(parser: ArgumentParser) -> None:
    """Add `--data-dir`, which stack's database is meant."""
    parser.add_argument("--data-dir", type=Path, help="an embedded stack's data directory")


@contextmanager
def open_database(data_dir: Path | None, *, by: str) -> Iterator[None]:
    """Point Django at the database of a data directory (`None`: the usual one), for a while.

    ``by`` names the command to one that has to wait for it. Raises `NoDatabase` where there is
    none, and `CommandError` for what the database refuses meanwhile.
    """
    if not _registered:
        raise NoDatabase("No app registered how a data directory's database is opened.")
    (opener,) = _registered
    try:
        with opener(data_dir or settings.DATA_DIR, by=by):
            yield
    except ProgrammingError as error:
        raise CommandError(
            f"The database is older than this program ({_reason(error)}); start a stack on it "
            f"once, or run `{manage_py('migrate', data_dir=data_dir or settings.DATA_DIR)}`.",
            returncode=2,
        ) from None
    except DatabaseError as error:
        raise CommandError(f"The database cannot be used: {_reason(error)}", returncode=2) from None


def _reason(error: DatabaseError) -> str:
    return str(error).strip().splitlines()[0]
