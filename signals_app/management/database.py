"""The database of a command: the running stack's, or one that is started for it."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, ProgrammingError
from django.utils.module_loading import import_string


class NoDatabase(CommandError):  # noqa: N818 - it names what happened
    """There is no database to be used; the sentence says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, returncode=2)


def add_data_dir_argument(parser: ArgumentParser) -> None:
    """Take which stack's database is meant."""
    parser.add_argument("--data-dir", type=Path, help="an embedded stack's data directory")


@contextmanager
def open_database(data_dir: Path | None, *, by: str) -> Iterator[None]:
    """Point Django at the database of a data directory (`None`: the usual one), for a while.

    ``by`` names the command to one that has to wait for it. Raises `NoDatabase` where there is
    none, and `CommandError` for what the database refuses meanwhile.
    """
    # By name: whoever knows how a data directory's database is started is a layer above.
    use_data_dir = import_string(settings.DATABASE_OPENER)
    refusal = import_string(settings.DATABASE_REFUSAL)
    try:
        with use_data_dir(data_dir or settings.DATA_DIR, by=by):
            yield
    except refusal as error:
        raise NoDatabase(str(error)) from None
    except ProgrammingError as error:
        raise CommandError(
            f"The database is older than this program ({_reason(error)}); start `manage.py stack` "
            "on it once, or run `manage.py migrate`.",
            returncode=2,
        ) from None
    except DatabaseError as error:
        raise CommandError(f"The database cannot be used: {_reason(error)}", returncode=2) from None


def _reason(error: DatabaseError) -> str:
    return str(error).strip().splitlines()[0]
