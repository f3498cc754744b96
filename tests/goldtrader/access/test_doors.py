"""Who is behind a request, and that none that changes something goes unrecorded."""

import os
import pwd
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

import manage
from goldtrader.access.doors import NameTheActor, actor_of
from goldtrader.models import ApiKey
from signals_app.actor import SYSTEM, Actor, Door, current
from signals_app.models import AuditEntry
from tests.callers import API, caller

pytestmark = pytest.mark.django_db


def newest() -> AuditEntry:
    entry = AuditEntry.objects.order_by("pk").last()
    assert entry is not None
    return entry


def test_a_user_of_the_admin_is_named(rf: RequestFactory, admin_user: User) -> None:
    request = rf.post("/admin/x/?secret=1", REMOTE_ADDR="192.0.2.7")
    request.user = admin_user

    assert actor_of(request) == Actor(Door.ADMIN, "admin", "", "192.0.2.7", "POST /admin/x/")


def test_a_caller_of_the_api_is_named_by_its_key() -> None:
    client = caller("admin", name="desk")

    client.post(f"{API}/config/update", {"threshold": 85}, format="json", REMOTE_ADDR="192.0.2.7")

    entry = newest()
    assert (entry.door, entry.who, entry.address) == ("api", "desk", "192.0.2.7")
    assert entry.key == ApiKey.objects.get().prefix
    assert entry.via == "POST /api/v1/config/update"


def test_reading_asks_the_database_nothing_for_the_audit(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = caller()
    with django_assert_num_queries(2):
        client.get(f"{API}/signals")


@pytest.mark.parametrize(
    ("method", "path", "status", "is_recorded"),
    [
        ("POST", "/admin/x/", 302, True),
        ("DELETE", "/admin/x/", 302, True),
        ("POST", "/admin/x/", 200, False),
        ("POST", "/admin/x/", 403, False),
        ("GET", "/admin/x/", 302, False),
        ("POST", "/api/v1/x", 200, False),
    ],
)
def test_what_was_done_without_a_record_is_recorded_by_its_address(
    rf: RequestFactory, admin_user: User, method: str, path: str, status: int, is_recorded: bool
) -> None:
    before = AuditEntry.objects.count()
    request = rf.generic(method, path)
    request.user = admin_user

    NameTheActor(lambda _: HttpResponse(status=status))(request)

    assert AuditEntry.objects.count() - before == is_recorded
    if is_recorded:
        assert (newest().action, newest().subject, newest().who) == ("requested", path, "admin")


def test_a_call_of_the_api_without_a_record_is_recorded_by_its_address(rf: RequestFactory) -> None:
    request = rf.post("/api/v1/x")
    request.api_key, _ = ApiKey.objects.create_key(name="desk", scope="admin")

    NameTheActor(lambda _: HttpResponse(status=201))(request)

    assert (newest().action, newest().who, newest().subject) == ("requested", "desk", "/api/v1/x")


def test_logins_are_in_the_audit_and_failed_ones_do_not_fill_it() -> None:
    User.objects.create_superuser("alice", password="correct horse battery")
    before = AuditEntry.objects.count()
    client = Client()

    for password in ("wrong", "correct horse battery"):
        client.post("/admin/login/", {"username": "alice", "password": password})
    client.post("/admin/logout/")

    entries = AuditEntry.objects.order_by("pk")[before:]
    assert [(each.action, each.subject, each.who) for each in entries] == [
        ("logged in", "alice", "alice"),
        ("logged out", "alice", "alice"),
    ]


def test_a_command_is_run_by_the_account_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Actor] = []
    monkeypatch.setattr(
        "django.core.management.execute_from_command_line", lambda _: seen.append(current())
    )
    monkeypatch.setenv("LOGNAME", "eve")
    monkeypatch.setattr(manage, "_load_environment", lambda: None)

    for arguments in (["shadow", "--try"], ["gateway"], []):
        monkeypatch.setattr(sys, "argv", [str(Path("manage.py")), *arguments])
        manage.main()

    account = pwd.getpwuid(os.getuid()).pw_name
    assert seen == [Actor(Door.COMMAND, account, via="manage.py shadow"), SYSTEM, SYSTEM]
