"""Which version decides, also where two operators want different things."""

from collections.abc import Callable, Iterator
from threading import Thread
from time import monotonic, sleep

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from signals_app.models import Strategy
from signals_app.services.strategies import (
    NotPossible,
    add_version,
    change_parameters,
    make_live,
)

Status = Strategy.Status


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the test commit; afterwards the first version is live, and alone."""
    with django_db_blocker.unblock():
        yield
        Strategy.objects.exclude(version=1).delete()
        Strategy.objects.update(status=Status.LIVE)


def meanwhile(change: Callable[[], object]) -> Thread:
    """Start a change on a connection of its own; return when it waits for a lock."""

    def run() -> None:
        try:
            change()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    deadline = monotonic() + 10
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return thread
        sleep(0.01)
    raise AssertionError("the change did not wait")


def versions() -> list[tuple[int, str, dict[str, object]]]:
    return [
        (each.version, each.status, each.parameters) for each in Strategy.objects.order_by("pk")
    ]


def test_two_changes_at_once_are_both_made(committed: None) -> None:
    with transaction.atomic():
        change_parameters({"threshold": 85})
        other = meanwhile(lambda: change_parameters({"risk_percentage": 0.5}))
    other.join()

    assert versions() == [
        (1, Status.RETIRED, {}),
        (2, Status.RETIRED, {"threshold": 85.0}),
        (3, Status.LIVE, {"threshold": 85.0, "risk_percentage": 0.5}),
    ]


def test_a_version_added_during_a_change_is_made_of_what_is_live_then(committed: None) -> None:
    with transaction.atomic():
        change_parameters({"threshold": 85})
        other = meanwhile(lambda: add_version({"risk_percentage": 0.5}))
    other.join()

    assert versions()[2] == (3, Status.RETIRED, {"threshold": 85.0, "risk_percentage": 0.5})


@pytest.mark.django_db
@pytest.mark.parametrize("before", [Status.RETIRED, Status.SHADOW])
def test_a_version_is_made_live_and_the_live_one_is_retired(before: Status) -> None:
    added = add_version({"threshold": 85})
    Strategy.objects.filter(pk=added.pk).update(status=before)

    make_live(added.pk)

    assert versions() == [(1, Status.RETIRED, {}), (2, Status.LIVE, {"threshold": 85.0})]
    with pytest.raises(NotPossible, match=r"default v2 is live already\."):
        make_live(added.pk)


@pytest.mark.django_db
def test_where_nothing_is_live_a_version_can_be_made_live() -> None:
    Strategy.objects.update(status=Status.RETIRED)

    make_live(Strategy.objects.get().pk)

    assert Strategy.objects.live().version == 1


@pytest.mark.django_db
def test_a_version_outside_of_the_limits_is_not_made_live() -> None:
    added = Strategy.objects.create(
        version=2, status=Status.RETIRED, parameters={"minimum_risk_reward": 1.0}
    )

    with pytest.raises(NotPossible, match="default v2 cannot be live: minimum_risk_reward must be"):
        make_live(added.pk)

    assert Strategy.objects.live().version == 1
