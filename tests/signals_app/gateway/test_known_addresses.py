"""Addresses that connectors were let in from, shared through Redis."""

import os

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from signals_app.gateway import known_addresses
from signals_app.gateway.availability import StreamUnavailable
from signals_app.gateway.known_addresses import KnownAddresses


@pytest.fixture
def redis_url() -> str:
    return os.environ["REDIS_URL"]


async def test_gateways_share_them_and_they_outlive_a_restart(
    redis_client: "Redis", redis_url: str
) -> None:
    async with AsyncRedis.from_url(redis_url) as redis:
        one, other = KnownAddresses(redis), KnownAddresses(redis)
        one.remember("192.0.2.1")
        assert "192.0.2.1" in one
        await one.exchange()
        await other.exchange()
        assert "192.0.2.1" in other
        assert "192.0.2.2" not in other


async def test_old_ones_are_forgotten_and_so_many_kept(
    redis_client: "Redis", redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_addresses, "_AT_MOST", 3)
    redis_client.zadd("gateway:addresses", {"198.51.100.1": 1.0})
    async with AsyncRedis.from_url(redis_url) as redis:
        known = KnownAddresses(redis)
        for n in range(5):
            known.remember(f"192.0.2.{n}")
        await known.exchange()
    assert [f"192.0.2.{n}" in known for n in range(5)] == [False, False, True, True, True]
    assert redis_client.zcard("gateway:addresses") == 3
    assert "198.51.100.1" not in known


async def test_without_redis_the_process_goes_on_with_what_it_remembers() -> None:
    known = KnownAddresses(AsyncRedis.from_url("redis://127.0.0.1:1"))
    known.remember("192.0.2.1")
    with pytest.raises(StreamUnavailable):
        await known.exchange()
    assert "192.0.2.1" in known
