"""What tasks find when they begin."""

import os

import psycopg
import pytest
from celery.signals import task_prerun
from django.db import connection

from signals_app.tasks import sweep


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_database_ended_is_replaced_before_a_task_uses_it():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (backend,))

    task_prerun.send(sender=sweep)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() != (backend,)
