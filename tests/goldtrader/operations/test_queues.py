"""Celery's queues, by name and length."""

from collections.abc import Iterator

import pytest
from redis import Redis

from goldtrader.operations import queues
from goldtrader.store import store


@pytest.fixture(autouse=True)
def _fresh_connection(redis_client: Redis) -> Iterator[None]:
    store.cache_clear()
    yield
    store.cache_clear()


def test_every_queue_that_tasks_are_routed_to_is_counted(redis_client: Redis) -> None:
    redis_client.rpush("analysis", "one", "two")

    found = queues.lengths()

    assert {"ticks", "analysis", "trades", "delivery"} <= found.keys()
    assert (found["analysis"], found["ticks"], queues.length("analysis")) == (2, 0, 2)
