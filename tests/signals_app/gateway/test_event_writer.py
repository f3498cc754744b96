"""Connector events are written in order, late where the database was away."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from signals_app.gateway import event_writer
from signals_app.gateway.event_writer import EventWriter
from tests.signals_app.gateway.conftest import MemoryDatabase


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture
async def writer(
    monkeypatch: pytest.MonkeyPatch, database: MemoryDatabase
) -> AsyncIterator[EventWriter]:
    monkeypatch.setattr(event_writer, "_RETRY_PAUSE", 0.005)
    made = EventWriter(database)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()


async def settled(writer: EventWriter) -> None:
    await asyncio.wait_for(writer.settled(), 5)


async def test_events_are_written_in_order(writer: EventWriter, database: MemoryDatabase) -> None:
    writer.record("mt5", "MT5_DISCONNECTED", "", "gone")
    writer.record("mt5", "PROMOTED", "XAUUSD", "active in place of backup")
    await settled(writer)
    assert database.events == [
        ("mt5", "MT5_DISCONNECTED", "", "gone"),
        ("mt5", "PROMOTED", "XAUUSD", "active in place of backup"),
    ]


async def test_an_event_that_waited_says_when_it_was(
    writer: EventWriter, database: MemoryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ms = 1_704_456_000_000
    monkeypatch.setattr(event_writer, "wall_ms", lambda: now_ms)
    database.is_down = True
    writer.record("mt5", "MT5_DISCONNECTED", "", "gone")
    await asyncio.sleep(0.03)
    now_ms += 5_001
    database.is_down = False
    await settled(writer)
    assert database.events == [
        ("mt5", "MT5_DISCONNECTED", "", "gone (at 2024-01-05T12:00:00.000Z)")
    ]


async def test_an_event_that_cannot_be_written_is_logged_and_left_out(
    writer: EventWriter, database: MemoryDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    database.fault = ValueError("no such column")
    writer.record("mt5", "FIRST", "", "")
    await settled(writer)
    database.fault = None
    writer.record("mt5", "SECOND", "", "")
    await settled(writer)
    assert [event[1] for event in database.events] == ["SECOND"]
    assert "this event cannot be written" in caplog.text


async def test_only_the_newest_events_wait(caplog: pytest.LogCaptureFixture) -> None:
    database = MemoryDatabase()
    writer = EventWriter(database)
    for number in range(1_001):
        writer.record(f"mt5-{number}", str(number), "", "")
    assert "the oldest event is left out" in caplog.text
    running = asyncio.create_task(writer.run())
    await settled(writer)
    running.cancel()
    assert (len(database.events), database.events[0][1]) == (1_000, "1")


async def test_a_connector_that_reports_without_end_is_written_a_few_times(
    writer: EventWriter, database: MemoryDatabase
) -> None:
    for _ in range(500):
        writer.record("mt5", "MT5_DISCONNECTED", "XAUUSD", "gone")
    writer.record("backup", "PROMOTED", "XAUUSD", "active in place of mt5")
    await settled(writer)
    assert len(database.events) == 12
    assert sum(database.times) == 501
