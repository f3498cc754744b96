"""Rows that people edit: every change is in the audit, whoever saves them."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from pytest_django import DjangoAssertNumQueries

from goldtrader.models import ApiKey
from signals_app.actor import Actor, Door, acting
from signals_app.models import AuditEntry, Connector, Instrument, Strategy
from signals_app.services.audit import HIDDEN, HIDDEN_CHANGE
from signals_app.services.audited_rows import followed_models
from signals_app.services.strategies import change_parameters
from tests.paths import ROOT

pytestmark = pytest.mark.django_db

BOB = Actor(Door.BOT, "bob")


def written(work: Callable[[], object]) -> list[tuple[str, str, object, object]]:
    """Return what the audit says of what this did."""
    last = AuditEntry.objects.order_by("pk").last()
    with acting(BOB):
        work()
    entries = AuditEntry.objects.filter(pk__gt=last.pk if last else 0).order_by("pk")
    assert {entry.who for entry in entries} <= {"bob"}
    return [(each.action, each.subject, each.before, each.after) for each in entries]


def test_what_is_made_changed_and_removed_is_written_down() -> None:
    def work() -> None:
        connector = Connector.objects.create(name="mt5", symbols=["XAUUSD"])
        connector.symbols = ["EURUSD"]
        connector.save()
        connector.save()
        connector.delete()

    made, changed, gone = written(work)

    assert made[:3] == ("created", "mt5", None)
    assert made[3]["symbols"] == ["XAUUSD"]  # type: ignore[index]
    assert changed == (
        "changed",
        "mt5",
        {"symbols": ["XAUUSD"]},
        {"symbols": ["EURUSD"]},
    )
    assert (gone[0], gone[3]) == ("deleted", None)


def test_what_programs_note_all_the_time_is_not() -> None:
    connector = Connector.objects.create(name="mt5")

    def work() -> None:
        connector.last_seen = timezone.now()
        connector.roles = {"XAUUSD": "active"}
        connector.save()

    assert written(work) == []


def test_only_the_columns_that_are_saved_count(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    connector = Connector.objects.create(name="mt5")
    connector.symbols, connector.last_seen = ["XAUUSD"], timezone.now()

    with django_assert_num_queries(1):
        connector.save(update_fields=("last_seen",))

    assert len(written(lambda: connector.save(update_fields=("symbols",)))) == 1


def test_passwords_and_keys_are_never_written() -> None:
    def work() -> None:
        user = User.objects.create_user("alice", password="hunter2-hunter2")
        user.set_password("correct horse battery")
        user.save()
        ApiKey.objects.create_key(name="desk", scope="admin")

    made, changed, key = written(work)

    assert made[3]["password"] == HIDDEN  # type: ignore[index]
    assert (changed[2], changed[3]) == ({"password": HIDDEN}, {"password": HIDDEN_CHANGE})
    stored = ApiKey.objects.get()
    assert key[1] == f"desk ({stored.prefix})"
    everything = "".join(map(str, AuditEntry.objects.values_list("before", "after", "subject")))
    for secret in (stored.hashed_key, stored.pk, User.objects.get().password):
        assert secret not in everything


def test_groups_and_rights_of_users_are_written_down() -> None:
    user = User.objects.create_user("alice")
    group = Group.objects.create(name="desk")
    right = Permission.objects.get(codename="change_trade")

    def work() -> None:
        user.groups.add(group)
        group.user_set.remove(user)
        user.user_permissions.set([right])
        user.user_permissions.clear()
        group.permissions.add(right)

    added, removed, given, taken, of_group = written(work)

    assert added == ("changed", "alice", None, {"groups added": ["desk"]})
    assert removed == ("changed", "desk", {"users removed": ["alice"]}, None)
    assert "can change trade" in str(given[3]).lower()
    assert "can change trade" in str(taken[2]).lower()
    assert of_group[1] == "desk"


def test_a_change_of_the_timetable_is_written_down_and_a_run_is_not() -> None:
    every = IntervalSchedule.objects.create(every=1, period="hours")
    task = PeriodicTask.objects.create(name="nightly", task="x", interval=every)

    def run() -> None:
        task.last_run_at, task.total_run_count = timezone.now(), 7
        task.save()

    def switch_off() -> None:
        task.enabled = False
        task.save()

    assert written(run) == []
    assert written(switch_off) == [("changed", "nightly", {"enabled": True}, {"enabled": False})]


def test_a_change_of_parameters_tells_both_versions() -> None:
    Strategy.objects.live()
    changes = written(lambda: change_parameters({"threshold": 85}))

    assert [(action, subject) for action, subject, _, _ in changes] == [
        ("changed", "default v1"),
        ("created", "default v2"),
    ]
    assert changes[1][3]["parameters"] == {"threshold": 85.0}  # type: ignore[index]


def test_a_removal_of_many_is_written_down_one_by_one() -> None:
    for name in ("a", "b"):
        Connector.objects.create(name=name)

    assert len(written(lambda: Connector.objects.all().delete())) == 2


def source_files() -> Iterator[Path]:
    for package in ("goldtrader", "signals_app", "trades_app", "reports_app"):
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path


#: Where followed rows are written past the audit, and why that is right.
PAST_IT = {
    # Who was last heard, and in which role: no one's decision.
    ("signals_app/gateway/database.py", "Connector", "update"),
    # Whether a chat takes messages, and who serves it; and channels that are set up elsewhere.
    *(
        (f"trades_app/notifications/{name}.py", "Channel", "update")
        for name in ("channels", "edits", "lanes", "outbox", "troubles")
    ),
    ("trades_app/notifications/channels.py", "Channel", "bulk_create"),
}


def test_no_code_writes_followed_rows_past_the_audit() -> None:
    names = {model.__name__ for model in followed_models()}
    assert {Instrument.__name__, User.__name__, PeriodicTask.__name__} <= names
    found = set()
    for path in source_files():
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            if call.func.attr in {"update", "bulk_create", "bulk_update", "_raw_delete"}:
                root: ast.AST = call.func.value
                while isinstance(root, ast.Attribute | ast.Call):
                    root = root.value if isinstance(root, ast.Attribute) else root.func
                if isinstance(root, ast.Name) and root.id in names:
                    where = str(path.relative_to(ROOT))
                    found.add((where, root.id, call.func.attr))
    assert found == PAST_IT
