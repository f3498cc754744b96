"""Rights that one transaction holds at a time."""

import os

import psycopg
import pytest
from django.db import connection, transaction

from signals_app.services.locks import lock_decisions, lock_strategies


def held(other: psycopg.Connection) -> int:
    """How many advisory locks are held in the database, as another connection sees them."""
    found = other.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
    return int(found[0])


@pytest.mark.django_db(transaction=True)
def test_each_right_is_held_until_the_transaction_ends() -> None:
    name = connection.settings_dict["NAME"]
    with psycopg.connect(os.environ["DATABASE_URL"], dbname=name, autocommit=True) as other:
        before = held(other)
        with transaction.atomic():
            lock_decisions("XAUUSD")
            lock_decisions("XAUUSD")
            lock_decisions("EURUSD")
            lock_strategies()
            assert held(other) == before + 3
        assert held(other) == before
