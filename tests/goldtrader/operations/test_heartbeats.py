"""Heartbeats of workers and beat: keys that expire by themselves."""

from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from celery import signals
from pytest_django import Settings
from redis import Redis
from structlog.testing import capture_logs

from goldtrader.operations import heartbeats
from goldtrader.store import store


@pytest.fixture(autouse=True)
def _fresh_connection(redis_client: Redis) -> Iterator[None]:
    store.cache_clear()
    yield
    store.cache_clear()


def test_a_worker_lives_with_its_queues_until_nothing_renews_it(redis_client: Redis) -> None:
    heartbeats.record_worker("pipeline@host", ("ticks", "analysis"))
    heartbeats.record_worker("delivery@host", ("delivery",))

    assert heartbeats.workers() == {
        "pipeline@host": ["analysis", "ticks"],
        "delivery@host": ["delivery"],
    }
    assert heartbeats.served_queues() == {"analysis", "delivery", "ticks"}
    assert 0 < redis_client.ttl("alive:worker:pipeline@host") <= 10
    redis_client.delete("alive:worker:pipeline@host")
    assert heartbeats.served_queues() == {"delivery"}


def test_beat_lives_while_it_starts_tasks(redis_client: Redis) -> None:
    assert not heartbeats.beat_lives()

    heartbeats.record_beat()

    assert heartbeats.beat_lives()
    assert 0 < redis_client.ttl("alive:beat") <= 20


def test_celery_s_own_heartbeat_is_recorded() -> None:
    heartbeats.connect()

    signals.heartbeat_sent.send(sender=Mock(eventer=Mock(hostname="w@host")))

    assert list(heartbeats.workers()) == ["w@host"]


def test_a_heartbeat_that_cannot_be_recorded_stops_nothing(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    store.cache_clear()

    with capture_logs() as logs:
        heartbeats.record_beat()

    assert [entry["key"] for entry in logs] == ["alive:beat"]


def test_a_heartbeat_of_a_clock_that_was_ahead_counts_for_nothing(redis_client: Redis) -> None:
    redis_client.set("alive:beat", "1", ex=3 * 86_400)
    redis_client.set("alive:worker:pipeline@host", '["ticks"]', ex=3 * 86_400)

    assert not heartbeats.beat_lives()
    assert heartbeats.workers() == {}


def test_heartbeats_of_an_earlier_stack_are_forgotten(redis_client: Redis) -> None:
    heartbeats.record_worker("pipeline@host", ("ticks",))
    heartbeats.record_beat()

    heartbeats.forget_all()

    assert redis_client.keys("alive:*") == []
