"""Streams and states in a real Redis, and the memory that stands in for it in other tests."""

import os
from collections.abc import AsyncIterator

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from signals_app.gateway.append_script import update_arguments
from signals_app.gateway.availability import StreamUnavailable
from signals_app.gateway.stream_state import StreamState, parse_state, state_fields
from signals_app.gateway.stream_store import DONE, StreamStore
from tests.signals_app.gateway.fakes import MemoryStore

GOLD = "XAUUSD"
STATE = StreamState(5, 1_704_456_000_000, 2000.5, writer="mt5", seqs={"mt5": 5})


@pytest.fixture(params=["redis", "memory"])
async def store(
    request: pytest.FixtureRequest, redis_client: "Redis"
) -> AsyncIterator[StreamStore | MemoryStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    client = AsyncRedis.from_url(os.environ["REDIS_URL"])
    yield StreamStore(client)
    await client.aclose()


async def test_a_state_is_created_once(store: StreamStore) -> None:
    assert (await store.read(GOLD))[0] is None
    await store.create(GOLD, state_fields(STATE))
    await store.create(GOLD, state_fields(StreamState()))
    found, now_ms = await store.read(GOLD)
    assert found == STATE
    assert now_ms > 1_700_000_000_000


async def test_an_update_is_done_only_where_all_is_as_expected(store: StreamStore) -> None:
    await store.create(GOLD, state_fields(STATE))
    good = update_arguments(GOLD, expect={"ordinal": "5", "active": ""}, change={"ordinal": "6"})
    done, late = await store.update([good, good])
    assert done == DONE
    assert parse_state(late).ordinal == 6


async def test_an_update_of_what_is_not_there_answers_with_nothing(store: StreamStore) -> None:
    (reply,) = await store.update([update_arguments(GOLD, expect={"ordinal": "5"})])
    assert parse_state(reply) is None
    assert (await store.read(GOLD))[0] is None


async def test_the_clock_is_that_of_redis(store: StreamStore) -> None:
    await store.create(GOLD, state_fields(STATE))
    change = {"active": "mt5", "active_gone": ""}
    expect = {"active": ""}
    await store.update([update_arguments(GOLD, expect=expect, change=change, clock="active_seen")])
    found, now_ms = await store.read(GOLD)
    assert abs(found.lease.seen_ms - now_ms) < 60_000


async def test_a_redis_that_is_away_is_unavailable() -> None:
    nowhere = AsyncRedis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.5)
    store = StreamStore(nowhere)
    for attempt in (store.read(GOLD), store.create(GOLD, {"a": "b"}), store.update([[1, 2]])):
        with pytest.raises(StreamUnavailable):
            await attempt
    await nowhere.aclose()
