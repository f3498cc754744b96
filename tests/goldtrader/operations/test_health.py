"""Health says which parts are there; only essential ones take the system down."""

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery import signals
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings
from redis import Redis
from rest_framework.test import APIClient

from goldtrader.operations import health, heartbeats
from goldtrader.operations.health import Health, State
from goldtrader.store import store
from signals_app.models import Connector, ConnectorEvent, Decision
from tests.callers import API, caller
from tests.paths import ROOT

pytestmark = pytest.mark.django_db

QUEUES = ("analysis", "delivery", "ticks", "trades")


@pytest.fixture(autouse=True)
def _nothing_remembered(redis_client: Redis) -> Iterator[None]:
    store.cache_clear()
    health.forget()
    yield
    store.cache_clear()
    health.forget()


@pytest.fixture
def gateway(settings: Settings) -> Iterator[None]:
    """Something that listens where the gateway should."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.GATEWAY_HOST, settings.GATEWAY_PORT = server.getsockname()
        yield


@pytest.fixture
def running(gateway: None) -> None:
    """Everything but a feed."""
    heartbeats.record_worker("pipeline@host", QUEUES)
    heartbeats.record_beat()


def get_health() -> tuple[int, dict[str, Any]]:
    health.forget()
    response = APIClient().get(f"{API}/health")
    return response.status_code, response.json()


def test_a_stack_without_a_feed_yet_is_usable(running: None) -> None:
    assert get_health() == (
        200,
        {
            "status": "degraded",
            "components": {
                "database": "ok",
                "redis": "ok",
                "gateway": "ok",
                "workers": "ok",
                "beat": "ok",
                "feed": "degraded",
                "decisions": "ok",
            },
        },
    )


def test_with_a_connector_that_is_heard_all_is_ok(running: None) -> None:
    Connector.objects.create(name="mt5", last_seen=timezone.now())

    status, body = get_health()

    assert (status, body["status"]) == (200, "ok")


@pytest.mark.parametrize("seconds", [61, 86_400])
def test_a_silent_connector_is_no_feed(running: None, seconds: int) -> None:
    Connector.objects.create(name="mt5", last_seen=timezone.now() - timedelta(seconds=seconds))

    assert get_health()[1]["components"]["feed"] == "degraded"


@pytest.mark.parametrize("code", ["MT5_DISCONNECTED", "SYMBOL_UNAVAILABLE"])
def test_a_connector_that_lost_its_terminal_or_symbol_is_no_feed_until_it_has_it_again(
    running: None, code: str
) -> None:
    Connector.objects.create(name="mt5", last_seen=timezone.now())
    ConnectorEvent.objects.create(connector="mt5", code=code)
    assert get_health()[1]["components"]["feed"] == "degraded"

    later = timezone.now() + timedelta(seconds=1)
    ConnectorEvent.objects.create(connector="mt5", code="MT5_RECONNECTED", happened_at=later)
    assert get_health()[1]["components"]["feed"] == "ok"


def test_without_a_gateway_the_system_is_down(running: None, settings: Settings) -> None:
    settings.GATEWAY_PORT = 1

    status, body = get_health()

    assert (status, body["status"], body["components"]["gateway"]) == (503, "down", "down")


def test_without_workers_the_system_is_down(gateway: None) -> None:
    heartbeats.record_beat()

    status, body = get_health()

    assert (status, body["components"]["workers"]) == (503, "down")


def test_a_queue_that_nobody_serves_degrades(gateway: None) -> None:
    heartbeats.record_beat()
    heartbeats.record_worker("pipeline@host", QUEUES[:3])
    assert get_health()[1]["components"]["workers"] == "degraded"

    heartbeats.record_worker("other@host", QUEUES[3:])
    assert get_health()[1]["components"]["workers"] == "ok"


def test_without_beat_the_system_is_usable(running: None, redis_client: Redis) -> None:
    redis_client.delete("alive:beat")

    status, body = get_health()

    assert (status, body["status"], body["components"]["beat"]) == (200, "degraded", "down")


def test_without_redis_the_answer_still_comes(running: None, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    store.cache_clear()

    status, body = get_health()

    assert status == 503
    assert body["components"]["redis"] == "down"
    assert body["components"]["database"] == "ok"


def test_without_a_database_the_answer_still_comes(
    running: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(health.connection, "cursor", fail)

    health.forget()
    response = APIClient().get(f"{API}/health", HTTP_AUTHORIZATION="Api-Key whatever")

    assert response.status_code == 503
    assert response.json()["components"]["database"] == "down"


def test_only_a_key_gets_details(running: None) -> None:
    health.forget()
    details = caller().get(f"{API}/health").json()["details"]

    assert details["workers"] == {"pipeline@host": list(QUEUES)}
    assert details["queues"] == dict.fromkeys(QUEUES, 0)
    assert details["unsent_messages"] == 0
    assert "details" not in get_health()[1]


def test_a_wrong_key_is_refused_here_too(running: None) -> None:
    response = APIClient().get(f"{API}/health", HTTP_AUTHORIZATION="Api-Key wrong")

    assert response.status_code == 401


def test_many_who_ask_at_once_cost_one_look(running: None, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    health.forget()
    monkeypatch.setattr(health, "_CACHE_SECONDS", 3600.0)
    monkeypatch.setattr(health, "check", lambda: looks.append(1) or Health({"database": State.OK}))

    for _ in range(5):
        APIClient().get(f"{API}/health")

    assert looks == [1]


def test_celerys_own_signals_are_the_signs_of_life(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = SimpleNamespace(consume_from=dict.fromkeys(["ticks", "analysis"]))
    monkeypatch.setattr(
        "goldtrader.operations.heartbeats.current_app",
        SimpleNamespace(amqp=SimpleNamespace(queues=queues)),
    )
    assert not heartbeats.beat_lives()

    class Heart:
        eventer = SimpleNamespace(hostname="pipeline@host")

    signals.heartbeat_sent.send(sender=Heart())
    signals.beat_init.send(sender=None)
    signals.before_task_publish.send(sender="signals_app.tasks.sweep")
    signals.before_task_publish.disconnect(heartbeats._on_beat_publish)

    assert heartbeats.workers() == {"pipeline@host": ["analysis", "ticks"]}
    assert heartbeats.beat_lives()
    assert 0 < redis_client.ttl("alive:worker:pipeline@host") <= 10
    assert 0 < redis_client.ttl("alive:beat") <= 20


def test_a_decision_that_could_not_be_stored_turns_its_part_red_for_a_day(running: None) -> None:
    Connector.objects.create(name="mt5", last_seen=timezone.now())
    event = ConnectorEvent.objects.create(connector="pipeline", code="DECISION_NOT_STORED")

    status, body = get_health()
    assert (status, body["status"], body["components"]["decisions"]) == (200, "degraded", "down")

    ConnectorEvent.objects.filter(pk=event.pk).update(
        happened_at=timezone.now() - timedelta(hours=25)
    )
    assert get_health()[1]["components"]["decisions"] == "ok"


def test_closes_that_wait_for_long_turn_it_red(running: None) -> None:
    decision = Decision.objects.create(
        instrument="XAUUSD", close_time_ms=1_704_465_000_000, entry_ordinal=7
    )
    Decision.objects.filter(pk=decision.pk).update(created_at=timezone.now() - timedelta(minutes=6))

    assert get_health()[1]["components"]["decisions"] == "down"


@pytest.mark.parametrize(
    ("page", "heading"),
    [("operations/runbook.md", "## Health says"), ("reference/api.md", "## Health")],
)
def test_every_part_stands_in_the_tables_of_health(page: str, heading: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    section = text.split(f"{heading}\n", 1)[1].split("\n## ")[0]
    first_cells = re.findall(r"^\|([^|\n-]*)\|", section, re.MULTILINE)
    named = {part for cell in first_cells for part in re.findall(r"[a-z]+", cell)}

    assert named - {"part"} == set(health.check().components)
