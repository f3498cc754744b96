"""Connections to the database between two tasks."""

import os

import psycopg
import pytest
from celery.signals import task_prerun
from django.db import connection
from django.test.utils import CaptureQueriesContext

from goldtrader.operations import connections
from signals_app.tasks import sweep

pytestmark = pytest.mark.django_db(transaction=True)


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return int(pid)


def test_one_that_the_database_ended_is_replaced_before_a_task_uses_it() -> None:
    before = backend()
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:
        # Waits until it is gone.
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (before,))

    task_prerun.send(sender=sweep)

    assert backend() != before


def test_a_good_one_is_kept_without_asking_the_database() -> None:
    before = backend()

    with CaptureQueriesContext(connection) as asked:
        task_prerun.send(sender=sweep)
        assert backend() == before

    assert [query["sql"] for query in asked] == ["SELECT pg_backend_pid()"]


def test_one_that_was_closed_here_is_opened_again() -> None:
    backend()
    assert connection.connection is not None
    connection.connection.close()

    connections.replace_broken()

    assert backend() > 0
