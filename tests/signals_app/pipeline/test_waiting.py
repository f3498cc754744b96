"""Closes that wait though they could be decided are noticed, and operators hear of it."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from signals_app.models import ConnectorEvent, Decision
from signals_app.pipeline.waiting import report_stuck, stuck_symbols

pytestmark = pytest.mark.django_db

CLOSE_MS = 1_704_465_000_000
QUARTER_MS = 900_000


def stored(number: int, *, age: timedelta, **columns: object) -> Decision:
    """A close of gold with its entry tick, stored so long ago."""
    made = Decision.objects.create(
        instrument="XAUUSD",
        close_time_ms=CLOSE_MS + number * QUARTER_MS,
        **{"entry_ordinal": 10, **columns},
    )
    Decision.objects.filter(pk=made.pk).update(created_at=timezone.now() - age)
    return made


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def test_a_close_that_waits_for_long_with_its_entry_tick_is_stuck(now: datetime) -> None:
    stored(1, age=timedelta(minutes=6))
    stored(2, age=timedelta(minutes=1))

    assert stuck_symbols(now) == ["XAUUSD"]


@pytest.mark.parametrize(
    ("age", "columns"),
    [
        (timedelta(minutes=4), {}),
        (timedelta(hours=9), {"entry_ordinal": None}),
        (timedelta(hours=9), {"outcome": "BELOW"}),
    ],
    ids=["lately", "no tick yet", "decided"],
)
def test_what_waits_for_a_reason_is_not(
    now: datetime, age: timedelta, columns: dict[str, object]
) -> None:
    stored(1, age=age, **columns)

    assert stuck_symbols(now) == []


def test_a_backlog_that_is_worked_off_is_not(now: datetime) -> None:
    stored(1, age=timedelta(hours=1), outcome="BELOW", decided_at=now - timedelta(minutes=1))
    stored(2, age=timedelta(hours=1))
    assert stuck_symbols(now) == []

    Decision.objects.filter(outcome="BELOW").update(decided_at=now - timedelta(minutes=6))
    assert stuck_symbols(now) == ["XAUUSD"]


def test_operators_hear_of_it_once_an_hour(now: datetime) -> None:
    stored(1, age=timedelta(hours=1))
    stored(2, age=timedelta(hours=1))

    report_stuck(now)
    report_stuck(now)

    event = ConnectorEvent.objects.get()
    assert (event.connector, event.code, event.instrument, event.message) == (
        "pipeline",
        "DECISIONS_WAIT",
        "XAUUSD",
        "2 closes wait to be decided, none was for 5 min",
    )
    ConnectorEvent.objects.update(happened_at=now - timedelta(minutes=61))
    report_stuck(now)
    assert ConnectorEvent.objects.count() == 2
