"""An entry of the audit, as it is stored."""

import pytest

from signals_app.actor import Door
from signals_app.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_an_entry_says_who_did_what() -> None:
    entry = AuditEntry(who="alice", action="deleted", subject_type="auth.user", subject="bob")
    assert str(entry) == "alice deleted auth.user bob"


def test_every_door_fits_its_column() -> None:
    for door in Door:
        AuditEntry(door=door.value, who="x", action="x").full_clean()


def test_the_database_dates_it() -> None:
    entry = AuditEntry.objects.create(door="system", who="x", action="x")
    entry.refresh_from_db()
    assert entry.at.tzinfo is not None
