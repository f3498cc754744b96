"""The record in Redis: stored once, whoever else writes."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from mt5_bridge.protocol.wire import Role, Row
from signals_app.gateway.append_log import (
    Displaced,
    Forgotten,
    LedgerUnavailable,
    Offer,
    Stored,
    StreamUnavailable,
    TickStream,
)
from signals_app.gateway.append_plan import Mark, Position, Run
from signals_app.gateway.lease import Patience
from tests.signals_app.gateway.conftest import stored, watermarks

START = 1_704_456_000_000
QUARTER = 900_000
GOLD = "XAUUSD"


class Marks:
    """What the database remembers."""

    def __init__(self) -> None:
        self.marks: dict[str, Mark] = {}
        self.is_down = False

    async def __call__(self, symbol: str) -> Mark | None:
        if self.is_down:
            raise LedgerUnavailable("down")
        return self.marks.get(symbol)


@pytest.fixture
def marks() -> Marks:
    return Marks()


@pytest.fixture
async def redis(redis_client: "Redis") -> AsyncIterator["AsyncRedis"]:
    client = AsyncRedis.from_url(os.environ["REDIS_URL"])
    yield client
    await client.aclose()


@pytest.fixture
def stream(redis: "AsyncRedis", marks: Marks) -> TickStream:
    return TickStream(redis, marks, patience=Patience(60_000, 0))


def rows(first: int, count: int) -> list[Row]:
    """Return ticks whose bid tells their seq."""
    return [
        Row(START + 1000 * n, 2000 + n / 100, 2001 + n / 100) for n in range(first, first + count)
    ]


def offer(first: int, count: int, *, known: int = 0, connector: str = "mt5") -> Offer:
    return Offer(GOLD, connector, f"{connector}-1", known, [Run(first, rows(first, count))])


async def put(stream: TickStream, *offers: Offer) -> list[object]:
    return [(await stream.store([one], None))[0] for one in offers]


async def test_a_stream_entry_has_the_promised_fields(
    stream: TickStream, redis_client: "Redis"
) -> None:
    await stream.join(GOLD, "mt5", "mt5-1")
    await put(stream, offer(1, 2))
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


async def test_a_new_symbol_starts_from_nothing(stream: TickStream) -> None:
    standing = await stream.join(GOLD, "mt5", "mt5-1")
    assert standing.role is Role.ACTIVE
    assert standing.position.ordinal == 0


async def test_many_symbols_are_stored_in_one_go(stream: TickStream, redis_client: "Redis") -> None:
    offers = []
    for symbol in ("XAUUSD", "EURUSD", "GBPUSD"):
        await stream.join(symbol, "mt5", "mt5-1")
        offers.append(Offer(symbol, "mt5", "mt5-1", 0, [Run(1, rows(1, 3))]))
    assert all(isinstance(outcome, Stored) for outcome in await stream.store(offers, None))
    assert [len(stored(redis_client, one.symbol)) for one in offers] == [3, 3, 3]


async def test_another_process_changes_the_record_and_nothing_is_doubled(
    stream: TickStream, redis: "AsyncRedis", marks: Marks, redis_client: "Redis"
) -> None:
    other = TickStream(redis, marks, patience=Patience(60_000, 0))
    await stream.join(GOLD, "mt5", "mt5-1")
    await put(stream, offer(1, 5))
    await other.join(GOLD, "mt5", "mt5-2")
    await put(other, offer(6, 5, known=5))
    (outcome,) = await put(stream, offer(4, 10, known=5))
    assert isinstance(outcome, Stored)
    assert outcome.step.seq == 13
    assert [tick[2] for tick in stored(redis_client)] == [row.bid for row in rows(1, 13)]


async def test_writers_at_once_store_each_tick_once(
    stream: TickStream, redis: "AsyncRedis", marks: Marks, redis_client: "Redis"
) -> None:
    streams = [stream, TickStream(redis, marks), TickStream(redis, marks)]
    for number, one in enumerate(streams):
        await one.join(GOLD, "mt5", f"mt5-{number}")

    async def send_all(one: TickStream) -> None:
        known = 0
        for first in range(1, 200, 7):
            (outcome,) = await one.store([offer(first, 10, known=known)], None)
            assert isinstance(outcome, Stored)
            known = outcome.step.seq

    await asyncio.gather(*(send_all(one) for one in streams))
    assert [tick[2] for tick in stored(redis_client)] == [row.bid for row in rows(1, 206)]


async def test_who_is_not_active_stores_nothing(stream: TickStream, redis_client: "Redis") -> None:
    await stream.join(GOLD, "mt5", "mt5-1")
    assert (await stream.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    (outcome,) = await put(stream, offer(1, 3, connector="backup"))
    assert isinstance(outcome, Displaced)
    assert stored(redis_client) == []


async def test_a_goodbye_lets_the_next_one_in_and_an_old_one_does_not(stream: TickStream) -> None:
    await stream.join(GOLD, "mt5", "old")
    await stream.join(GOLD, "mt5", "new")
    await stream.leave([GOLD], "old")
    assert (await stream.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    await stream.leave([GOLD], "new")
    promoted = await stream.join(GOLD, "backup", "backup-1")
    assert (promoted.role, promoted.taken_from) == (Role.ACTIVE, "mt5")


async def test_a_sign_of_life_keeps_the_role(redis: "AsyncRedis", marks: Marks) -> None:
    stream = TickStream(redis, marks, patience=Patience(300, 300))
    await stream.join(GOLD, "mt5", "mt5-1")
    for _ in range(4):
        await asyncio.sleep(0.1)
        await stream.heard([GOLD], "mt5")
        await stream.heard([GOLD], "backup")
    assert (await stream.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    await asyncio.sleep(0.35)
    assert (await stream.join(GOLD, "backup", "backup-1")).role is Role.ACTIVE


async def test_a_lost_memory_is_noticed_and_restored_from_the_mark(
    stream: TickStream, marks: Marks, redis_client: "Redis"
) -> None:
    await stream.join(GOLD, "mt5", "mt5-1")
    await put(stream, offer(1, 8))
    redis_client.flushall()
    assert await put(stream, offer(9, 2, known=8)) == [Forgotten()]
    assert not redis_client.exists(f"ticks:{GOLD}", f"ticks:{GOLD}:state")
    marks.marks[GOLD] = Mark(5, START + 5000, 2000.05, {"mt5": 5})
    standing = await stream.join(GOLD, "mt5", "mt5-1")
    assert (standing.position.ordinal, standing.position.seq("mt5")) == (5, 5)
    await put(stream, offer(6, 5, known=5))
    ((entry_id, fields),) = redis_client.xrange(f"ticks:{GOLD}")
    assert (entry_id, fields[b"f"], fields[b"n"]) == (b"10-0", b"6", b"5")


async def test_after_a_loss_nobody_takes_the_role_before_who_had_it_may_come_back(
    redis: "AsyncRedis", marks: Marks, redis_client: "Redis"
) -> None:
    stream = TickStream(redis, marks, patience=Patience(60_000, 300))
    marks.marks[GOLD] = Mark(5, START + 5000, 2000.05, {"mt5": 5, "backup": 2}, writer="mt5")
    assert (await stream.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    back = await stream.join(GOLD, "mt5", "mt5-2")
    assert (back.role, back.taken_from) == (Role.ACTIVE, None)
    redis_client.flushall()
    assert (await stream.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    await asyncio.sleep(0.35)
    promoted = await stream.join(GOLD, "backup", "backup-1")
    assert (promoted.role, promoted.taken_from) == (Role.ACTIVE, "mt5")


async def test_after_a_loss_who_was_active_last_counts_before_who_wrote_last(
    redis: "AsyncRedis", marks: Marks, redis_client: "Redis"
) -> None:
    stream = TickStream(redis, marks, patience=Patience(60_000, 60_000))
    await stream.join(GOLD, "mt5", "mt5-1")
    redis_client.flushall()
    assert (await stream.join(GOLD, "backup", "backup-1")).role is Role.STANDBY
    marks.marks[GOLD] = Mark(5, START + 5000, 2000.05, {"backup": 5}, writer="backup")
    redis_client.flushall()
    assert (await stream.join(GOLD, "backup", "backup-1")).role is Role.STANDBY


async def test_the_active_connector_can_ask_whether_redis_forgot_it(
    redis: "AsyncRedis", marks: Marks, redis_client: "Redis"
) -> None:
    stream = TickStream(redis, marks, patience=Patience(60_000, 60_000))
    await stream.join(GOLD, "mt5", "mt5-1")
    await put(stream, offer(1, 8))
    assert not await stream.has_forgotten(GOLD, "mt5", 8)
    redis_client.flushall()
    assert await stream.has_forgotten(GOLD, "mt5", 8)
    marks.marks[GOLD] = Mark(8, START + 8000, 2000.08, {"mt5": 8}, writer="mt5")
    assert (await stream.join(GOLD, "backup", "backup-1")).position.seq("mt5") == 8
    # Nothing is missing, but the role was put back as that of somebody who is away.
    assert await stream.has_forgotten(GOLD, "mt5", 8)
    await stream.join(GOLD, "mt5", "mt5-2")
    assert not await stream.has_forgotten(GOLD, "mt5", 8)


async def test_an_older_copy_of_redis_is_noticed(stream: TickStream, redis_client: "Redis") -> None:
    await stream.join(GOLD, "mt5", "mt5-1")
    await put(stream, offer(1, 5))
    state = redis_client.hgetall(f"ticks:{GOLD}:state")
    (last,) = redis_client.xrevrange(f"ticks:{GOLD}", count=1)
    await put(stream, offer(6, 5, known=5))
    # Redis comes back as it was a moment ago.
    redis_client.xdel(f"ticks:{GOLD}", "10-0")
    redis_client.delete(f"ticks:{GOLD}")
    redis_client.xadd(f"ticks:{GOLD}", last[1], id=last[0])
    redis_client.hset(f"ticks:{GOLD}:state", mapping=state)
    assert await put(stream, offer(11, 5, known=10)) == [Forgotten()]
    await put(stream, offer(6, 10, known=5))
    assert [tick[2] for tick in stored(redis_client)] == [row.bid for row in rows(1, 15)]


async def test_a_stream_without_its_state_is_begun_anew_from_the_mark(
    stream: TickStream, marks: Marks, redis_client: "Redis"
) -> None:
    await stream.join(GOLD, "mt5", "mt5-1")
    await put(stream, offer(1, 8))
    redis_client.delete(f"ticks:{GOLD}:state")
    marks.marks[GOLD] = Mark(2, START + 2000, 2000.02, {"mt5": 2})
    await stream.join(GOLD, "mt5", "mt5-1")
    await put(stream, offer(3, 6, known=2))
    ((_, fields),) = redis_client.xrange(f"ticks:{GOLD}")
    assert (fields[b"f"], fields[b"n"]) == (b"3", b"6")


async def test_a_database_that_is_down_matters_only_where_redis_holds_nothing(
    stream: TickStream, marks: Marks
) -> None:
    marks.is_down = True
    with pytest.raises(LedgerUnavailable):
        await stream.join(GOLD, "mt5", "mt5-1")
    marks.is_down = False
    await stream.join(GOLD, "mt5", "mt5-1")
    marks.is_down = True
    assert (await stream.join(GOLD, "mt5", "mt5-1")).role is Role.ACTIVE


async def test_a_repeated_offer_stores_only_what_is_missing(
    stream: TickStream, redis_client: "Redis"
) -> None:
    await stream.join(GOLD, "mt5", "mt5-1")
    with_watermark = Offer(GOLD, "mt5", "mt5-1", 0, [Run(1, rows(1, 3))], START + QUARTER)
    for _ in range(3):
        (outcome,) = await stream.store([with_watermark], None)
        assert isinstance(outcome, Stored)
        assert outcome.step.seq == 3
    assert len(stored(redis_client)) == 3
    assert watermarks(redis_client) == [START + QUARTER]
    entry_id = redis_client.xrevrange(f"ticks:{GOLD}", count=1)[0][0]
    assert entry_id == f"3-{START // QUARTER + 1}".encode()


async def test_the_script_is_loaded_again_where_redis_forgot_it(
    stream: TickStream, redis_client: "Redis"
) -> None:
    await stream.join(GOLD, "mt5", "mt5-1")
    redis_client.script_flush()
    assert isinstance((await put(stream, offer(1, 3)))[0], Stored)


async def test_a_redis_that_does_not_answer_is_told_apart(marks: Marks) -> None:
    nowhere = AsyncRedis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.5)
    stream = TickStream(nowhere, marks)
    with pytest.raises(StreamUnavailable):
        await stream.join(GOLD, "mt5", "mt5-1")
    with pytest.raises(StreamUnavailable):
        await stream.store([offer(1, 1)], None)
    await nowhere.aclose()


async def test_a_mark_keeps_nothing_that_a_position_cannot_say(
    stream: TickStream, marks: Marks
) -> None:
    marks.marks[GOLD] = Mark(7, START, 2000.07, {"mt5": 7, "backup": 3})
    standing = await stream.join(GOLD, "backup", "backup-1")
    assert standing.position == Position(
        ordinal=7,
        time_ms=START,
        bid=2000.07,
        seqs={"mt5": 7, "backup": 3},
        holder=standing.position.holder,
    )
