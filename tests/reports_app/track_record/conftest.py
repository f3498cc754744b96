"""Fixtures of the track record's tests."""

import pytest

from reports_app.models import RecordDay
from reports_app.track_record.reporting import report
from tests.reports_app.track_record.records import FRIDAY, make_record


@pytest.fixture
def record() -> None:
    """Friday: one lost, one won, sealed; Monday: one that runs."""
    make_record()


@pytest.fixture
def published(record: None) -> str:
    """The digest of Friday, which was published in its reports."""
    report("XAUUSD")
    return RecordDay.objects.get(date=FRIDAY).digest
