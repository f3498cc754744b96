"""The connection to Redis that would rather fail than wait."""

import time
from collections.abc import Iterator

import pytest
from pytest_django import Settings
from redis import Redis
from redis.exceptions import RedisError

from goldtrader.store import store


@pytest.fixture(autouse=True)
def _fresh_connection() -> Iterator[None]:
    store.cache_clear()
    yield
    store.cache_clear()


def test_it_is_the_redis_of_the_settings_and_made_once(redis_client: Redis) -> None:
    store().set("key", "value")

    assert redis_client.get("key") == b"value"
    assert store() is store()


def test_where_redis_is_down_it_says_so_within_a_second(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    began = time.monotonic()

    with pytest.raises(RedisError):
        store().ping()

    assert time.monotonic() - began < 2
