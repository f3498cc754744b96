"""The symbols' streams in Redis: each tick once, whoever else writes."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from mt5_bridge.protocol.wire import Role, Row
from signals_app.gateway.append_log import (
    Appended,
    AppendLog,
    AppendRequest,
    LeaseLost,
    StateLost,
)
from signals_app.gateway.append_plan import Batch
from signals_app.gateway.availability import DatabaseUnavailable, StreamUnavailable
from signals_app.gateway.lease import LeaseTimeouts
from signals_app.gateway.stream_state import Checkpoint, StreamState
from signals_app.gateway.stream_store import StreamStore
from tests.signals_app.gateway.conftest import stored, watermarks

START = 1_704_456_000_000
QUARTER = 900_000
GOLD = "XAUUSD"


class Checkpoints:
    """What the database remembers."""

    def __init__(self) -> None:
        self.found: dict[str, Checkpoint] = {}
        self.is_down = False

    async def __call__(self, symbol: str) -> Checkpoint | None:
        if self.is_down:
            raise DatabaseUnavailable("down")
        return self.found.get(symbol)


@pytest.fixture
def checkpoints() -> Checkpoints:
    return Checkpoints()


@pytest.fixture
async def redis(redis_client: "Redis") -> AsyncIterator["AsyncRedis"]:
    client = AsyncRedis.from_url(os.environ["REDIS_URL"])
    yield client
    await client.aclose()


@pytest.fixture
def log(redis: "AsyncRedis", checkpoints: Checkpoints) -> AppendLog:
    return AppendLog(StreamStore(redis), checkpoints, timeouts=LeaseTimeouts(60_000, 0))


def rows(first: int, count: int) -> list[Row]:
    """Ticks whose bid shows their seq."""
    return [
        Row(START + 1000 * n, 2000 + n / 100, 2001 + n / 100) for n in range(first, first + count)
    ]


def request(first: int, count: int, *, known: int = 0, connector: str = "mt5") -> AppendRequest:
    return AppendRequest(
        GOLD, connector, f"{connector}-1", known, [Batch(first, rows(first, count))]
    )


async def put(log: AppendLog, *requests: AppendRequest) -> list[object]:
    return [(await log.append([one], None))[0] for one in requests]


async def test_a_stream_entry_has_the_promised_fields(
    log: AppendLog, redis_client: "Redis"
) -> None:
    await log.join(GOLD, "mt5", "mt5-1")
    await put(log, request(1, 2))
    ((entry_id, fields),) = redis_client.xrange(f"ticks:{GOLD}")
    assert entry_id == b"2-0"
    assert {name: fields[name] for name in (b"f", b"n", b"c", b"q")} == {
        b"f": b"1",
        b"n": b"2",
        b"c": b"mt5",
        b"q": b"2",
    }
    assert len(fields[b"d"]) == 48
    state = redis_client.hgetall(f"ticks:{GOLD}:state")
    assert (state[b"ordinal"], state[b"bid"], state[b"seq:mt5"]) == (b"2", b"2000.02", b"2")
    assert state[b"time_ms"] == str(START + 2000).encode()


async def test_a_new_symbol_starts_from_nothing(log: AppendLog) -> None:
    joined = await log.join(GOLD, "mt5", "mt5-1")
    assert joined.role is Role.ACTIVE
    assert joined.state.ordinal == 0


async def test_many_symbols_are_stored_in_one_go(log: AppendLog, redis_client: "Redis") -> None:
    requests = []
    for symbol in ("XAUUSD", "EURUSD", "GBPUSD"):
        await log.join(symbol, "mt5", "mt5-1")
        requests.append(AppendRequest(symbol, "mt5", "mt5-1", 0, [Batch(1, rows(1, 3))]))
    assert all(isinstance(result, Appended) for result in await log.append(requests, None))
    assert [len(stored(redis_client, one.symbol)) for one in requests] == [3, 3, 3]


async def test_another_process_changes_the_state_and_nothing_is_doubled(
    log: AppendLog, redis: "AsyncRedis", checkpoints: Checkpoints, redis_client: "Redis"
) -> None:
    other = AppendLog(StreamStore(redis), checkpoints, timeouts=LeaseTimeouts(60_000, 0))
    await log.join(GOLD, "mt5", "mt5-1")
    await put(log, request(1, 5))
    await other.join(GOLD, "mt5", "mt5-2")
    await put(other, request(6, 5, known=5))
    (result,) = await put(log, request(4, 10, known=5))
    assert isinstance(result, Appended)
    assert result.plan.seq == 13
    assert [tick[2] for tick in stored(redis_client)] == [row.bid for row in rows(1, 13)]


async def test_writers_at_once_store_each_tick_once(
    log: AppendLog, redis: "AsyncRedis", checkpoints: Checkpoints, redis_client: "Redis"
) -> None:
    logs = [
        log,
        AppendLog(StreamStore(redis), checkpoints),
        AppendLog(StreamStore(redis), checkpoints),
    ]
    for number, one in enumerate(logs):
        await one.join(GOLD, "mt5", f"mt5-{number}")

    async def send_all(one: AppendLog) -> None:
        known = 0
        for first in range(1, 200, 7):
            (result,) = await one.append([request(first, 10, known=known)], None)
            assert isinstance(result, Appended)
            known = result.plan.seq

    await asyncio.gather(*(send_all(one) for one in logs))
    assert [tick[2] for tick in stored(redis_client)] == [row.bid for row in rows(1, 206)]


async def test_who_is_not_active_stores_nothing(log: AppendLog, redis_client: "Redis") -> None:
    await log.join(GOLD, "mt5", "mt5-1")
    assert (await log.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    (result,) = await put(log, request(1, 3, connector="backup"))
    assert isinstance(result, LeaseLost)
    assert stored(redis_client) == []


async def test_a_goodbye_lets_the_next_one_in_and_an_old_one_does_not(log: AppendLog) -> None:
    await log.join(GOLD, "mt5", "old")
    await log.join(GOLD, "mt5", "new")
    await log.disconnect([GOLD], "old")
    assert (await log.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    await log.disconnect([GOLD], "new")
    promoted = await log.join(GOLD, "backup", "backup-1")
    assert (promoted.role, promoted.taken_from) == (Role.ACTIVE, "mt5")


async def test_a_sign_of_life_keeps_the_role(redis: "AsyncRedis", checkpoints: Checkpoints) -> None:
    log = AppendLog(StreamStore(redis), checkpoints, timeouts=LeaseTimeouts(300, 300))
    await log.join(GOLD, "mt5", "mt5-1")
    for _ in range(4):
        await asyncio.sleep(0.1)
        await log.renew([GOLD], "mt5")
        await log.renew([GOLD], "backup")
    assert (await log.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    await asyncio.sleep(0.35)
    assert (await log.join(GOLD, "backup", "backup-1")).role is Role.ACTIVE


async def test_a_lost_memory_is_noticed_and_restored_from_the_checkpoint(
    log: AppendLog, checkpoints: Checkpoints, redis_client: "Redis"
) -> None:
    await log.join(GOLD, "mt5", "mt5-1")
    await put(log, request(1, 8))
    redis_client.flushdb()
    assert await put(log, request(9, 2, known=8)) == [StateLost()]
    assert not redis_client.exists(f"ticks:{GOLD}", f"ticks:{GOLD}:state")
    checkpoints.found[GOLD] = Checkpoint(5, START + 5000, 2000.05, {"mt5": 5})
    joined = await log.join(GOLD, "mt5", "mt5-1")
    assert (joined.state.ordinal, joined.state.seq("mt5")) == (5, 5)
    await put(log, request(6, 5, known=5))
    ((entry_id, fields),) = redis_client.xrange(f"ticks:{GOLD}")
    assert (entry_id, fields[b"f"], fields[b"n"]) == (b"10-0", b"6", b"5")


async def test_after_a_loss_nobody_takes_the_role_before_who_had_it_may_come_back(
    redis: "AsyncRedis", checkpoints: Checkpoints, redis_client: "Redis"
) -> None:
    log = AppendLog(StreamStore(redis), checkpoints, timeouts=LeaseTimeouts(60_000, 300))
    checkpoints.found[GOLD] = Checkpoint(
        5, START + 5000, 2000.05, {"mt5": 5, "backup": 2}, writer="mt5"
    )
    assert (await log.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    back = await log.join(GOLD, "mt5", "mt5-2")
    assert (back.role, back.taken_from) == (Role.ACTIVE, None)
    redis_client.flushdb()
    assert (await log.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    await asyncio.sleep(0.35)
    promoted = await log.join(GOLD, "backup", "backup-1")
    assert (promoted.role, promoted.taken_from) == (Role.ACTIVE, "mt5")


async def test_after_a_loss_who_was_active_last_counts_before_who_wrote_last(
    redis: "AsyncRedis", checkpoints: Checkpoints, redis_client: "Redis"
) -> None:
    log = AppendLog(StreamStore(redis), checkpoints, timeouts=LeaseTimeouts(60_000, 60_000))
    await log.join(GOLD, "mt5", "mt5-1")
    redis_client.flushdb()
    assert (await log.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    checkpoints.found[GOLD] = Checkpoint(5, START + 5000, 2000.05, {"backup": 5}, writer="backup")
    redis_client.flushdb()
    assert (await log.join(GOLD, "backup", "backup-1")).role is Role.STANDBY


async def test_the_active_connector_can_ask_whether_redis_lost_it(
    redis: "AsyncRedis", checkpoints: Checkpoints, redis_client: "Redis"
) -> None:
    log = AppendLog(StreamStore(redis), checkpoints, timeouts=LeaseTimeouts(60_000, 60_000))
    await log.join(GOLD, "mt5", "mt5-1")
    await put(log, request(1, 8))
    assert not await log.has_lost_state(GOLD, "mt5", 8)
    redis_client.flushdb()
    assert await log.has_lost_state(GOLD, "mt5", 8)
    checkpoints.found[GOLD] = Checkpoint(8, START + 8000, 2000.08, {"mt5": 8}, writer="mt5")
    assert (await log.join(GOLD, "backup", "backup-1")).state.seq("mt5") == 8
    # Nothing is missing, but the role was put back as that of somebody who is away.
    assert await log.has_lost_state(GOLD, "mt5", 8)
    await log.join(GOLD, "mt5", "mt5-2")
    assert not await log.has_lost_state(GOLD, "mt5", 8)


async def test_an_older_copy_of_redis_is_noticed(log: AppendLog, redis_client: "Redis") -> None:
    await log.join(GOLD, "mt5", "mt5-1")
    await put(log, request(1, 5))
    state = redis_client.hgetall(f"ticks:{GOLD}:state")
    (last,) = redis_client.xrevrange(f"ticks:{GOLD}", count=1)
    await put(log, request(6, 5, known=5))
    # Redis comes back as it was a moment ago.
    redis_client.xdel(f"ticks:{GOLD}", "10-0")
    redis_client.delete(f"ticks:{GOLD}")
    redis_client.xadd(f"ticks:{GOLD}", last[1], id=last[0])
    redis_client.hset(f"ticks:{GOLD}:state", mapping=state)
    assert await put(log, request(11, 5, known=10)) == [StateLost()]
    await put(log, request(6, 10, known=5))
    assert [tick[2] for tick in stored(redis_client)] == [row.bid for row in rows(1, 15)]


async def test_a_stream_without_its_state_is_begun_anew_from_the_checkpoint(
    log: AppendLog, checkpoints: Checkpoints, redis_client: "Redis"
) -> None:
    await log.join(GOLD, "mt5", "mt5-1")
    await put(log, request(1, 8))
    redis_client.delete(f"ticks:{GOLD}:state")
    checkpoints.found[GOLD] = Checkpoint(2, START + 2000, 2000.02, {"mt5": 2})
    await log.join(GOLD, "mt5", "mt5-1")
    await put(log, request(3, 6, known=2))
    ((_, fields),) = redis_client.xrange(f"ticks:{GOLD}")
    assert (fields[b"f"], fields[b"n"]) == (b"3", b"6")


async def test_a_database_that_is_down_matters_only_where_redis_holds_nothing(
    log: AppendLog, checkpoints: Checkpoints
) -> None:
    checkpoints.is_down = True
    with pytest.raises(DatabaseUnavailable):
        await log.join(GOLD, "mt5", "mt5-1")
    checkpoints.is_down = False
    await log.join(GOLD, "mt5", "mt5-1")
    checkpoints.is_down = True
    assert (await log.join(GOLD, "mt5", "mt5-1")).role is Role.ACTIVE


async def test_a_repeated_offer_stores_only_what_is_missing(
    log: AppendLog, redis_client: "Redis"
) -> None:
    await log.join(GOLD, "mt5", "mt5-1")
    with_watermark = AppendRequest(GOLD, "mt5", "mt5-1", 0, [Batch(1, rows(1, 3))], START + QUARTER)
    for _ in range(3):
        (result,) = await log.append([with_watermark], None)
        assert isinstance(result, Appended)
        assert result.plan.seq == 3
    assert len(stored(redis_client)) == 3
    assert watermarks(redis_client) == [START + QUARTER]
    entry_id = redis_client.xrevrange(f"ticks:{GOLD}", count=1)[0][0]
    assert entry_id == f"3-{START // QUARTER + 1}".encode()


async def test_the_script_is_loaded_again_where_redis_lost_it(
    log: AppendLog, redis_client: "Redis"
) -> None:
    await log.join(GOLD, "mt5", "mt5-1")
    redis_client.script_flush()
    assert isinstance((await put(log, request(1, 3)))[0], Appended)


async def test_a_redis_that_does_not_answer_is_unavailable(checkpoints: Checkpoints) -> None:
    nowhere = AsyncRedis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.5)
    log = AppendLog(StreamStore(nowhere), checkpoints)
    with pytest.raises(StreamUnavailable):
        await log.join(GOLD, "mt5", "mt5-1")
    with pytest.raises(StreamUnavailable):
        await log.append([request(1, 1)], None)
    await nowhere.aclose()


async def test_a_checkpoint_keeps_nothing_that_a_state_cannot_say(
    log: AppendLog, checkpoints: Checkpoints
) -> None:
    checkpoints.found[GOLD] = Checkpoint(7, START, 2000.07, {"mt5": 7, "backup": 3})
    joined = await log.join(GOLD, "backup", "backup-1")
    assert joined.state == StreamState(
        ordinal=7,
        time_ms=START,
        bid=2000.07,
        seqs={"mt5": 7, "backup": 3},
        lease=joined.state.lease,
        tail=None,
    )
