"""After an outage many closes are forgotten at once: each is asked for once, not at every sweep."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import Task
from django.db.models import F
from django.utils import timezone
from redis import Redis

from signals_app import tasks
from signals_app.models import Analysis, StreamPosition
from signals_app.pipeline import stream
from signals_app.pipeline.ports import replaced
from signals_app.pipeline.stream_keys import stream_key
from tests.signals_app.pipeline.book import FakeBook

pytestmark = pytest.mark.django_db

SYMBOL = "XAUUSD"
FORGOTTEN, QUARTER_MS = 563, 900_000
DETECTORS = {"detect_structure", "detect_fvg", "detect_order_blocks", "detect_liquidity"}


@pytest.fixture(autouse=True)
def _used_stream(redis_client: Redis) -> Iterator[None]:
    """A stream whose only tick is used, so that a sweep looks at the symbol."""
    stream.connection.cache_clear()
    redis_client.xadd(stream_key(SYMBOL), {"f": 1, "n": 1, "w": 1}, id="1-0")
    StreamPosition.objects.create(instrument=SYMBOL, ordinal=1, entry_id="1-0")
    with replaced(FakeBook()):
        yield
    stream.connection.cache_clear()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What was sent to detectors: the detector and a close, for each of its closes."""
    found: list[tuple[str, Any]] = []

    def send(task: Task, args: Any = (), *_: object, **__: object) -> None:
        name = task.name.rpartition(".")[2]
        if name in DETECTORS:
            found.extend((name, tuple(close)) for close in args[1])

    monkeypatch.setattr(Task, "apply_async", send)
    return found


def forget(closes: int, *, ago: timedelta) -> None:
    """Store analyses of which no part came, begun so long ago and due 15 seconds later."""
    began = timezone.now() - ago
    Analysis.objects.bulk_create(
        Analysis(instrument=SYMBOL, timeframe="M15", close_time_ms=QUARTER_MS * number)
        for number in range(1, closes + 1)
    )
    Analysis.objects.update(created_at=began, due_at=began + timedelta(seconds=15))


def let_pass(time: timedelta) -> None:
    """Let a time pass, in what the database compares with now."""
    Analysis.objects.update(created_at=F("created_at") - time, due_at=F("due_at") - time)


def test_each_of_many_forgotten_closes_is_sent_once_over_several_sweeps(
    sent: list[tuple[str, Any]],
) -> None:
    forget(FORGOTTEN, ago=timedelta(minutes=2))

    for _ in range(12):
        tasks.sweep()
        let_pass(timedelta(seconds=5))

    closes = [("M15", QUARTER_MS * number) for number in range(1, FORGOTTEN + 1)]
    assert Counter(sent) == {(name, close): 1 for name in DETECTORS for close in closes}


def test_those_that_are_lost_again_are_sent_again_when_their_age_has_doubled(
    sent: list[tuple[str, Any]],
) -> None:
    forget(1, ago=timedelta(seconds=220))
    ages: list[int] = []

    for age in range(220, 2200, 50):
        tasks.sweep()
        if sent:
            ages.append(age)
            sent.clear()
        let_pass(timedelta(seconds=50))

    # Due at 440, 940 and 1940 seconds.
    assert ages == [220, 470, 970, 1970]
