"""What is written of a change, and what never is."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from signals_app.actor import Actor, Door, acting
from signals_app.models import AuditEntry, Connector
from signals_app.services import audit
from signals_app.services.audit import (
    HIDDEN,
    HIDDEN_CHANGE,
    Change,
    is_secret,
    record,
    without_secrets,
)

CHANGE = Change("changed", "signals_app.connector", "mt5", {"symbols": []}, {"symbols": ["X"]})


@pytest.mark.django_db
def test_a_change_is_written_with_who_made_it() -> None:
    alice = Actor(Door.API, "alice", "7f3cA9b1", "2001:db8::1", "POST /api/v1/x")
    with acting(alice) as act:
        record(CHANGE)

    entry = AuditEntry.objects.get(who="alice")
    assert (entry.door, entry.key, entry.address) == ("api", "7f3cA9b1", "2001:db8::1")
    assert (entry.via, entry.action, entry.subject) == ("POST /api/v1/x", "changed", "mt5")
    assert (entry.before, entry.after) == ({"symbols": []}, {"symbols": ["X"]})
    assert act.changes == 1
    assert abs((datetime.now(UTC) - entry.at).total_seconds()) < 60


@pytest.mark.django_db
def test_it_stands_and_falls_with_the_change() -> None:
    with acting(Actor(Door.BOT, "bob")), transaction.atomic():
        Connector.objects.create(name="mt5")
        assert AuditEntry.objects.filter(who="bob").exists()
        transaction.set_rollback(True)
    assert not AuditEntry.objects.filter(who="bob").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET who = 'eve'",
        "DELETE FROM audit_entries",
        "UPDATE audit_entries SET before = NULL WHERE id = (SELECT max(id) FROM audit_entries)",
        "TRUNCATE audit_entries",
        "TRUNCATE audit_entries CASCADE",
    ],
)
def test_the_database_refuses_to_change_what_was_written(statement: str) -> None:
    record(CHANGE)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entries ENABLE TRIGGER keep_audit_whole")
        with pytest.raises(DatabaseError, match="only ever added to"), transaction.atomic():
            cursor.execute(statement)
    assert AuditEntry.objects.filter(subject="mt5").exists()


@pytest.mark.parametrize(
    "name", ["password", "hashed_key", "new_password1", "token", "otp_secret", "API_KEY", "api_key"]
)
def test_columns_that_may_hold_secrets_are_left_out(name: str) -> None:
    assert is_secret(name)
    assert without_secrets({name: "hunter2", "nested": [{name: "hunter2"}]}) == {
        name: HIDDEN,
        "nested": [{name: HIDDEN}],
    }
    assert without_secrets({name: ""}) == {name: ""}
    assert without_secrets({name: HIDDEN_CHANGE}) == {name: HIDDEN_CHANGE}


@pytest.mark.parametrize("name", ["tokens_from", "key", "prefix", "passes", "symbols"])
def test_other_columns_are_shown(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        "key 7f3cA9b1." + "x" * 32 + " of mine",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtdDUifQ.c2lnbmF0dXJl",
        "123456789:AAF" + "k" * 32,
        "postgres://goldtrader:hunter2@127.0.0.1/db",
        settings.SECRET_KEY,
        json.dumps({"password": "hunter2"}),
        json.dumps([{"bot_token": "hunter2"}]),
    ],
)
def test_texts_that_look_like_secrets_are_left_out(text: str) -> None:
    shown = str(without_secrets({"note": text}))

    assert HIDDEN in shown
    for secret in ("hunter2", "x" * 32, "eyJ", "k" * 32, settings.SECRET_KEY):
        assert secret not in shown


@pytest.mark.parametrize("name", ["METRICS_TOKEN", "CELERY_BROKER_PASSWORD", "SECRET_KEY"])
def test_each_secret_of_the_installation_is_left_out(name: str, settings: Any) -> None:
    setattr(settings, name, "plain-words-that-look-like-nothing")
    audit._secrets.cache_clear()
    try:
        shown = without_secrets({"note": "it is plain-words-that-look-like-nothing, they said"})
    finally:
        audit._secrets.cache_clear()

    assert shown == {"note": f"it is {HIDDEN}, they said"}


def test_values_of_every_kind_become_plain() -> None:
    at = datetime(2024, 1, 5, 14, 30, tzinfo=UTC)
    assert without_secrets(
        {"price": Decimal("1.10"), "at": at, "nan": float("nan"), "nul": "a\0b", "half": "\ud800"}
    ) == {"price": "1.10", "at": "2024-01-05T14:30:00Z", "nan": "nan", "nul": "ab", "half": "?"}
    assert without_secrets(None) is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), anything, max_size=3), st.text(), st.text())
def test_the_database_takes_whatever_comes(values: dict[str, Any], subject: str, via: str) -> None:
    plain = json.dumps(without_secrets(values), allow_nan=False)
    assert "\\u0000" not in plain
    assert without_secrets(json.loads(plain)) is not None
    assert "\0" not in str(without_secrets({"a": subject + via}))
