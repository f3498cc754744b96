"""A connector's name belongs to one spool while it is connected."""

import os
from collections.abc import AsyncIterator

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from signals_app.gateway.availability import StreamUnavailable
from signals_app.gateway.name_lease import Acquired, NameLeases

GOLD = ("XAUUSD",)


@pytest.fixture
async def names(redis_client: "Redis") -> AsyncIterator[NameLeases]:
    redis = AsyncRedis.from_url(os.environ["REDIS_URL"])
    yield NameLeases(redis)
    await redis.aclose()


async def test_a_second_spool_is_refused_and_the_first_hears_of_it_once(names: NameLeases) -> None:
    assert await names.acquire("mt5", GOLD, "one", "session 1") is Acquired.GRANTED

    assert await names.acquire("mt5", GOLD, "two", "session 2") is Acquired.REFUSED
    assert await names.acquire("mt5", GOLD, "two", "session 3") is Acquired.REFUSED_AGAIN

    assert await names.renew("mt5", GOLD, "one", "session 1")
    assert not await names.renew("mt5", GOLD, "one", "session 1")
    assert await names.acquire("other", GOLD, "two", "session 4") is Acquired.GRANTED


async def test_a_newer_session_of_the_same_spool_replaces_the_older(names: NameLeases) -> None:
    await names.acquire("mt5", GOLD, "one", "old")
    assert await names.acquire("mt5", GOLD, "one", "new") is Acquired.GRANTED

    await names.release("mt5", GOLD, "old")
    assert not await names.renew("mt5", GOLD, "one", "old")
    assert await names.acquire("mt5", GOLD, "two", "another") is Acquired.REFUSED


async def test_a_session_may_change_its_spool(names: NameLeases) -> None:
    await names.acquire("mt5", GOLD, "one", "session")
    assert await names.acquire("mt5", GOLD, "two", "session") is Acquired.GRANTED


async def test_a_name_is_free_when_its_session_ends_or_is_heard_no_more(
    names: NameLeases, redis_client: "Redis"
) -> None:
    await names.acquire("mt5", GOLD, "one", "session 1")
    assert 0 < redis_client.pttl("connector:mt5:XAUUSD") <= 15_000

    await names.release("mt5", GOLD, "session 1")
    assert await names.acquire("mt5", GOLD, "two", "session 2") is Acquired.GRANTED


async def test_a_name_that_redis_forgot_is_taken_up_again(
    names: NameLeases, redis_client: "Redis"
) -> None:
    await names.acquire("mt5", GOLD, "one", "session 1")
    redis_client.flushdb()
    await names.renew("mt5", GOLD, "one", "session 1")

    assert await names.acquire("mt5", GOLD, "two", "session 2") is Acquired.REFUSED


async def test_a_redis_that_does_not_answer_is_unavailable() -> None:
    nowhere = NameLeases(AsyncRedis.from_url("redis://127.0.0.1:1"))
    with pytest.raises(StreamUnavailable):
        await nowhere.acquire("mt5", GOLD, "one", "session 1")


async def test_two_spools_may_share_a_name_for_different_symbols(names: NameLeases) -> None:
    await names.acquire("mt5", ("XAUUSD", "EURUSD"), "one", "session 1")

    assert await names.acquire("mt5", ("GBPUSD",), "two", "session 2") is Acquired.GRANTED
    assert await names.acquire("mt5", ("USDCAD", "EURUSD"), "two", "s 3") is Acquired.REFUSED
    assert await names.acquire("mt5", ("USDCAD",), "three", "session 4") is Acquired.GRANTED
    assert await names.renew("mt5", ("XAUUSD", "EURUSD"), "one", "session 1")
