"""Beat on a clock that was set."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from goldtrader.celery import app
from goldtrader.operations import timetable as module

AHEAD = timedelta(days=3)


@pytest.fixture
def timetable(transactional_db: None) -> None:
    PeriodicTask.objects.all().delete()
    every_five, _ = IntervalSchedule.objects.get_or_create(every=5, period="seconds")
    for name in ("first", "second", "third"):
        PeriodicTask.objects.create(name=name, task=f"tests.{name}", interval=every_five)


def scheduler(monkeypatch: pytest.MonkeyPatch) -> tuple[module.Scheduler, list[str]]:
    sent: list[str] = []
    made = module.Scheduler(app=app, lazy=True)
    made.install_default_entries = lambda *_: None
    made.setup_schedule()
    monkeypatch.setattr(made, "apply_async", lambda entry, **_: sent.append(entry.name))
    return made, sent


@pytest.mark.usefixtures("timetable")
def test_a_last_run_in_the_future_does_not_stop_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    PeriodicTask.objects.update(last_run_at=timezone.now() + AHEAD)
    made, _ = scheduler(monkeypatch)

    for name in ("first", "second", "third"):
        entry = made.schedule[name]
        assert 0 < entry.is_due().next <= 5
        assert entry.last_run_at <= timezone.now()


@pytest.mark.usefixtures("timetable")
def test_the_order_of_tasks_is_made_anew_when_the_clock_was_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, _ = scheduler(monkeypatch)
    heaps: list[object] = []
    monkeypatch.setattr(
        module.schedulers.DatabaseScheduler, "tick", lambda beat, *_: heaps.append(beat._heap)
    )
    real = time.time
    for seconds in (0, 30, 29.5, -3 * 86_400):
        made._heap = ["ordered"]
        monkeypatch.setattr(module.time, "time", lambda shift=seconds: real() + shift)
        made.tick()

    assert heaps == [["ordered"], ["ordered"], ["ordered"], None]
