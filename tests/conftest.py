"""What tests of every package share: an empty Redis, sample data, and time on a slow machine."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker
from redis import Redis

from tests.paths import SHARED

# How long an example takes depends on what else runs on the machine, and says nothing of the code.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The database of all tests, of which those without a transaction may empty the audit."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entries DISABLE TRIGGER keep_audit_whole")


@pytest.fixture
def redis_client() -> Iterator["Redis"]:
    """A client of the session's Redis, which is empty at the beginning of the test."""
    client = Redis.from_url(os.environ["REDIS_URL"])
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The directory of sample data; a test that needs it is skipped where it is not there."""
    if not SHARED.is_dir():
        pytest.skip(f"sample data is not at {SHARED}; name it by GOLDTRADER_SHARED")
    return SHARED
