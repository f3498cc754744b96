"""The timetable's actions, each row of which the audit sees."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from signals_app.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def tasks() -> list[PeriodicTask]:
    every = IntervalSchedule.objects.create(every=1, period="hours")
    return [
        PeriodicTask.objects.create(
            name=name, task="trades_app.tasks.deliver", interval=every, enabled=name == "on"
        )
        for name in ("on", "off")
    ]


def act(client: Client, action: str, tasks: list[PeriodicTask]) -> str:
    url = reverse("admin:django_celery_beat_periodictask_changelist")
    chosen = {"action": action, "_selected_action": [task.pk for task in tasks]}
    return client.post(url, chosen, follow=True).content.decode()


@pytest.mark.parametrize(
    ("action", "enabled", "changed"),
    [
        ("enable_tasks", {"on": True, "off": True}, ["off"]),
        ("disable_tasks", {"on": False, "off": False}, ["on"]),
        ("toggle_tasks", {"on": False, "off": True}, ["off", "on"]),
    ],
)
def test_tasks_are_switched_one_by_one(
    admin_client: Client,
    tasks: list[PeriodicTask],
    action: str,
    enabled: dict[str, bool],
    changed: list[str],
) -> None:
    assert f"{len(changed)} changed." in act(admin_client, action, tasks)

    assert dict(PeriodicTask.objects.values_list("name", "enabled")) == enabled
    entries = AuditEntry.objects.filter(action="changed", who="admin")
    assert sorted(entry.subject for entry in entries) == changed


def test_an_order_to_run_is_in_the_audit(
    admin_client: Client, tasks: list[PeriodicTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr("trades_app.tasks.deliver.apply_async", lambda **what: sent.append(what))

    act(admin_client, "run_tasks", tasks[:1])

    assert len(sent) == 1
    entry = AuditEntry.objects.get(action="ordered to run")
    assert (entry.subject, entry.after) == ("on", {"task": "trades_app.tasks.deliver"})
