"""Storing what gathers, and waiting for room."""

import asyncio
from collections.abc import Sequence

import pytest

from mt5_bridge.protocol.wire import Role, Row
from signals_app.gateway import metrics, tick_writer
from signals_app.gateway.append_log import AppendRequest, AppendResult, LeaseLost, StateLost
from signals_app.gateway.connection import Connection
from signals_app.gateway.message_sender import MessageSender
from signals_app.gateway.roles import Assignment
from signals_app.gateway.session_leases import SessionLeases
from signals_app.gateway.stream_state import StreamState
from signals_app.gateway.tick_writer import TickWriter
from signals_app.gateway.tokens import Claims
from tests.signals_app.gateway.fakes import FakeEvents, FakeSocket, FakeWakers, until

GOLD = "XAUUSD"
NOON = 1_704_456_000_000
CLAIMS = Claims("mt5", (GOLD,), "id", NOON // 1000, NOON // 1000 + 3600)


class ScriptedLog:
    """Stands in for `AppendLog`: gives the results that the test wants."""

    def __init__(self) -> None:
        self.requests: list[AppendRequest] = []
        self.result: AppendResult = StateLost()
        self.answers = asyncio.Event()
        self.answers.set()

    async def append(
        self, requests: Sequence[AppendRequest], now_ms: int | None
    ) -> list[AppendResult]:
        await self.answers.wait()
        self.requests += requests
        return [self.result] * len(requests)


class WriterHarness:
    def __init__(self) -> None:
        self.log, self.socket = ScriptedLog(), FakeSocket()
        self.connection = Connection(lambda token, now: CLAIMS, NOON)
        self.connection.admitted(CLAIMS, {GOLD: Assignment(Role.ACTIVE, 0, None)}, NOON)
        self.sender = MessageSender(self.socket)
        leases = SessionLeases(self.log, FakeEvents(), "s1")
        self.writer = TickWriter(self.log, FakeWakers(), self.connection, leases, self.sender, "s1")

    def add(self, seq: int, count: int) -> None:
        rows = [Row(NOON + n, 2000.0, 2000.3) for n in range(count)]
        self.writer.add_ticks(GOLD, seq, rows)


@pytest.fixture
async def harness() -> WriterHarness:
    return WriterHarness()


def rejected(reason: str) -> float:
    return metrics.ticks_rejected.labels(reason)._value.get()


async def test_the_reader_waits_until_half_of_the_room_is_free(
    harness: WriterHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick_writer, "_MAX_WAITING_ROWS", 10)
    harness.log.result = LeaseLost(StreamState())
    harness.log.answers.clear()
    running = asyncio.create_task(harness.writer.run())
    harness.add(1, 1)
    await asyncio.sleep(0.01)
    harness.add(2, 10)
    assert not harness.writer.is_full
    harness.add(12, 1)
    assert harness.writer.is_full
    waiting = asyncio.create_task(harness.writer.room())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    harness.log.answers.set()
    await asyncio.wait_for(waiting, 5)
    running.cancel()


async def test_with_the_lease_everything_that_waits_is_dropped(harness: WriterHarness) -> None:
    before = rejected("standby")
    harness.log.result = LeaseLost(StreamState())
    harness.log.answers.clear()
    running = asyncio.create_task(harness.writer.run())
    harness.add(1, 2)
    await asyncio.sleep(0.01)
    harness.add(3, 4)
    harness.log.answers.set()
    await asyncio.wait_for(harness.writer.drained(), 5)
    running.cancel()
    assert len(harness.log.requests) == 1
    assert rejected("standby") == before + 6
    assert harness.connection.roles.by_symbol == {GOLD: Role.STANDBY}


async def test_with_the_state_everything_that_waits_is_forgotten_and_the_connection_ends(
    harness: WriterHarness,
) -> None:
    running = asyncio.create_task(harness.writer.run())
    harness.add(1, 2)
    await until(lambda: harness.connection.closed)
    running.cancel()
    await harness.sender.run()
    assert harness.socket.closed == (1013, "resume from the beginning")


async def test_nobody_waits_for_a_writer_that_was_stopped(harness: WriterHarness) -> None:
    harness.add(1, 2)
    waiting = asyncio.create_task(harness.writer.drained())
    await asyncio.sleep(0)
    assert not waiting.done()
    harness.writer.stop()
    await asyncio.wait_for(waiting, 5)
