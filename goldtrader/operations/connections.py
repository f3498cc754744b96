"""The database connection that a Celery process keeps from task to task.

A broken one is replaced before a task uses it, without asking the server: Django's own check is a
query, and a candle close runs through seven tasks.
"""

import select
from typing import Any

from celery.signals import task_prerun
from django.db import close_old_connections
from django.db import connections as databases


def connect() -> None:
    """Look at the connections before every task of this process."""
    task_prerun.connect(replace_broken)


def replace_broken(**_: Any) -> None:
    """Close the connections that are too old, and let Django check those that look broken."""
    close_old_connections()
    database: Any  # The flag is no part of Django's type stubs.
    for database in databases.all(initialized_only=True):
        if database.connection is not None and _is_silent(database.connection):
            database.health_check_done = True


def _is_silent(connection: Any) -> bool:
    """Whether nothing waits to be read; a server that ends a connection says so on it."""
    if connection.closed:
        return False
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return not waiting.poll(0)
