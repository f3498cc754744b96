"""A command's database: opened by whoever is registered, and refusals in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError
from django.db import OperationalError, ProgrammingError

from signals_app.management.database import NoDatabase, open_database, replaced
from signals_app.management.hints import manage_py


class FakeOpener:
    """Notes what is opened and closed; refuses where it was given a reason."""

    def __init__(self, refusal: str | None = None) -> None:
        self.refusal = refusal
        self.seen: list[str] = []

    @contextmanager
    def __call__(self, data_dir: Path, *, by: str) -> Iterator[None]:
        if self.refusal is not None:
            raise NoDatabase(self.refusal)
        self.seen.append(f"{by} opens {data_dir}")
        yield
        self.seen.append("closed")


def test_the_registered_opener_holds_the_named_data_directory_open_for_a_while() -> None:
    opener = FakeOpener()

    with replaced(opener), open_database(Path("mine"), by="export"):
        opener.seen.append("used")

    assert opener.seen == ["export opens mine", "used", "closed"]


def test_without_a_name_the_usual_data_directory_is_opened(settings) -> None:
    settings.DATA_DIR = Path("usual")
    opener = FakeOpener()

    with replaced(opener), open_database(None, by="smc"):
        pass

    assert opener.seen == ["smc opens usual", "closed"]


def test_the_openers_refusal_is_the_commands_with_exit_code_2() -> None:
    with (
        replaced(FakeOpener("There is none.")),
        pytest.raises(NoDatabase) as refusal,
        open_database(None, by="smc"),
    ):
        pass

    assert (str(refusal.value), refusal.value.returncode) == ("There is none.", 2)


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (
            ProgrammingError('column "p" does not exist\nLINE 1: …'),
            (
                'The database is older than this program (column "p" does not exist); start a '
                f"stack on it once, or run `{manage_py('migrate', data_dir=settings.DATA_DIR)}`."
            ),
        ),
        (
            OperationalError("connection refused\nIs the server running?"),
            "The database cannot be used: connection refused",
        ),
    ],
)
def test_what_the_database_refuses_meanwhile_is_one_sentence(
    failure: Exception, sentence: str
) -> None:
    with (
        replaced(FakeOpener()),
        pytest.raises(CommandError) as refusal,
        open_database(None, by="smc"),
    ):
        raise failure

    assert (str(refusal.value), refusal.value.returncode) == (sentence, 2)
