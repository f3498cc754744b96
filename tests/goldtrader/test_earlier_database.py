"""A database that an earlier version made is brought up to date and prints what it printed then.

The fixture holds the rows of a made-up week as the version before these migrations left them, with
what its `export` and `shadow` printed: ten signals, trades of every end, 39 trades in shadow, five
sealed days. Of candles, analyses and decisions only a few are kept.
"""

import gzip
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django import DjangoDbBlocker

from reports_app.track_record.reporting import report
from trades_app.models import Message
from trades_app.notifications.kinds import text_of

FIXTURE = Path(__file__).parents[1] / "fixtures" / "earlier_database.json.gz"
#: Where that version's migrations ended.
ITS_MIGRATIONS = [
    ("signals_app", "0010_decisions_name_their_strategy"),
    ("trades_app", "0004_trades_are_closed_by_order_at_the_next_tick"),
    ("reports_app", "0002_weeks_months_groups_and_the_record"),
]


@pytest.fixture(scope="module")
def earlier() -> dict[str, Any]:
    """The rows by table, and what the commands printed of them."""
    with gzip.open(FIXTURE, "rt", encoding="utf-8") as file:
        return json.load(file)  # type: ignore[no-any-return]


@pytest.fixture
def migrated(
    earlier: dict[str, Any],
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """That database, migrated to the newest version, as the one that Django uses."""
    with django_db_blocker.unblock():
        usual = connection.settings_dict["NAME"]
        ours = f"{usual}_earlier"
        _outside(f'CREATE DATABASE "{ours}" TEMPLATE template0')
        try:
            _use(ours)
            _fill(earlier["tables"])
            MigrationExecutor(connection).migrate(
                MigrationExecutor(connection).loader.graph.leaf_nodes()
            )
            yield
        finally:
            _use(usual)
            _outside(f'DROP DATABASE "{ours}" WITH (FORCE)')


@pytest.mark.usefixtures("migrated")
def test_an_earlier_database_prints_the_same_bytes_and_its_record_holds(
    earlier: dict[str, Any],
) -> None:
    assert printed("export", "--json") == earlier["export"]
    assert printed("shadow", "--json") == earlier["shadow"]
    assert "The record holds." in printed("verify_record")

    texts = {row["key"]: row["text"] for row in earlier["tables"]["outbox"]}
    assert texts_by_key() == texts
    # Written anew, as data, the reports read as they did.
    deleted, _ = Message.objects.filter(kind=Message.Kind.REPORT).delete()
    assert report("XAUUSD") == deleted
    assert texts_by_key() == texts
    assert "The record holds." in printed("verify_record")


def texts_by_key() -> dict[str, str]:
    return {message.key: text_of(message) for message in Message.objects.all()}


def printed(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def _use(database: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = database


def _outside(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


def _fill(tables: dict[str, list[dict[str, Any]]]) -> None:
    """Make the tables as that version had them, and put its rows in."""
    executor = MigrationExecutor(connection)
    executor.migrate(ITS_MIGRATIONS)
    models = executor.loader.project_state(ITS_MIGRATIONS).apps.get_models()
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        for table, rows in tables.items():
            cursor.execute(
                f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s)",
                [json.dumps(rows)],
            )
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
