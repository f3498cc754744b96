"""History is stored now, or waits for the database."""

import asyncio

import pytest

from mt5_bridge.protocol.wire import CandleRow
from signals_app.gateway import availability, history_writer
from signals_app.gateway.actions import Close, StoreHistory
from signals_app.gateway.history_writer import HistoryWriter
from signals_app.gateway.message_sender import MessageSender
from signals_app.market.candle import Timeframe
from tests.signals_app.gateway.conftest import MemoryDatabase
from tests.signals_app.gateway.fakes import FakeSocket, until

ROW = CandleRow(1_704_456_000_000, 2000.0, 2001.0, 1999.0, 2000.5, 12)
HISTORY = StoreHistory("XAUUSD", Timeframe.M15, [ROW, ROW])
STORED = ("XAUUSD", Timeframe.M15, 2)


class HistoryHarness:
    def __init__(self) -> None:
        self.database, self.socket = MemoryDatabase(), FakeSocket()
        self.sender = MessageSender(self.socket)
        self.writer = HistoryWriter(self.database, self.sender)

    async def answers(self) -> list[dict[str, object]]:
        self.sender.carry_out((Close(1001, ""),))
        await self.sender.run()
        return self.socket.sent


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> HistoryHarness:
    monkeypatch.setattr(availability, "_FIRST_PAUSE", 0.005)
    return HistoryHarness()


async def test_history_is_stored_and_answered(harness: HistoryHarness) -> None:
    await harness.writer.store(HISTORY, is_needed_first=False)
    assert harness.database.history == [STORED]
    assert await harness.answers() == [
        {"type": "history_ack", "symbol": "XAUUSD", "timeframe": "M15", "stored": 2}
    ]


async def test_history_waits_for_the_database_without_holding_anything_up(
    harness: HistoryHarness,
) -> None:
    harness.database.is_down = True
    running = asyncio.create_task(harness.writer.run())
    await harness.writer.store(HISTORY, is_needed_first=False)
    assert harness.database.history == []
    harness.database.is_down = False
    await until(lambda: harness.database.history)
    running.cancel()
    assert harness.database.history == [STORED]


async def test_history_that_is_needed_first_holds_up_what_comes_behind_it(
    harness: HistoryHarness,
) -> None:
    harness.database.is_down = True
    storing = asyncio.create_task(harness.writer.store(HISTORY, is_needed_first=True))
    await asyncio.sleep(0.03)
    assert not storing.done()
    harness.database.is_down = False
    await asyncio.wait_for(storing, 5)
    assert harness.database.history == [STORED]


async def test_no_more_waits_than_there_is_room_for(
    harness: HistoryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_writer, "_MAX_WAITING_ROWS", 3)
    harness.database.is_down = True
    await harness.writer.store(HISTORY, is_needed_first=False)
    storing = asyncio.create_task(harness.writer.store(HISTORY, is_needed_first=False))
    await asyncio.sleep(0.03)
    assert not storing.done()
    storing.cancel()
