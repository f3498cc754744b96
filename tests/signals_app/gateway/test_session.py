"""A session: what a connector says is stored and answered. Without sockets, Redis or a database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from signals_app.gateway import message_sender
from signals_app.gateway.append_log import AppendLog
from signals_app.gateway.connection import Connection
from signals_app.gateway.lease import LeaseTimeouts
from signals_app.gateway.limits import Limits
from signals_app.gateway.session import ConnectorSession, Services
from signals_app.gateway.stream_state import Checkpoint
from signals_app.gateway.tokens import Claims
from signals_app.market.candle import Timeframe
from tests.signals_app.gateway.conftest import MemoryDatabase, quotes
from tests.signals_app.gateway.fakes import (
    FakeEvents,
    FakeNames,
    FakeSocket,
    FakeWakers,
    MemoryStore,
    until,
)

NOON = 1_704_456_000_000


def verify(token: str, now: float) -> Claims:
    """Let a token be the connector's name."""
    return Claims(token, ("XAUUSD", "EURUSD"), "id", int(now), int(now) + 3600)


@dataclass
class MemoryGateway:
    """A gateway's shared services in memory, and the sessions that it serves."""

    store: MemoryStore = field(default_factory=MemoryStore)
    database: MemoryDatabase = field(default_factory=MemoryDatabase)
    events: FakeEvents = field(default_factory=FakeEvents)
    wakers: FakeWakers = field(default_factory=FakeWakers)
    names: FakeNames = field(default_factory=FakeNames)
    admitted: list[str] = field(default_factory=list)
    has_room: bool = True

    def __post_init__(self) -> None:
        async def read_checkpoint(symbol: str) -> Checkpoint | None:
            return self.database.checkpoint(symbol)

        log = AppendLog(self.store, read_checkpoint, timeouts=LeaseTimeouts(45_000, 10_000))
        self.services = Services(log, self.database, self.events, self.wakers, self.names)

    def session(self) -> tuple[ConnectorSession, FakeSocket]:
        socket, connection = FakeSocket(), Connection(verify, NOON, Limits())
        session = ConnectorSession(
            self.services,
            socket,
            connection,
            on_admitted=lambda session: self.admitted.append(session.name),
            has_room=lambda: self.has_room,
        )
        return session, socket

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[ConnectorSession, FakeSocket]]:
        """A session that runs, with its peer's end; the peer hangs up at the end."""
        session, socket = self.session()
        running = asyncio.create_task(session.run())
        yield session, socket
        socket.hang_up()
        await asyncio.wait_for(running, 10)

    @asynccontextmanager
    async def entered(
        self, name: str = "mt5", *symbols: str
    ) -> AsyncIterator[tuple[ConnectorSession, FakeSocket]]:
        """A session whose connector is admitted."""
        async with self.connected() as (session, socket):
            socket.say(type="auth", token=name, symbols=list(symbols or ("XAUUSD",)))
            await until(lambda: socket.last("auth_ok"))
            yield session, socket


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> MemoryGateway:
    monkeypatch.setattr(message_sender, "_ACK_DELAY", 0.0)
    return MemoryGateway()


def say_ticks(socket: FakeSocket, seq: int, count: int, symbol: str = "XAUUSD") -> None:
    rows = quotes(NOON + 1000 * seq, count)
    socket.say(type="ticks", symbol=symbol, seq=seq, rows=rows)


def times(first: int, count: int) -> list[int]:
    return [NOON + 1000 * seq for seq in range(first, first + count)]


async def test_a_connector_is_greeted_and_admitted_with_its_role(gateway: MemoryGateway) -> None:
    async with gateway.entered() as (session, socket):
        assert socket.sent_types() == ["connected", "auth_ok"]
        assert socket.sent[1]["role"] == {"XAUUSD": "active"}
        assert socket.is_let_in
        assert (session.name, session.symbols) == ("mt5", frozenset({"XAUUSD"}))
    assert gateway.admitted == ["mt5"]


async def test_ticks_are_stored_acknowledged_and_wake_the_pipeline(gateway: MemoryGateway) -> None:
    async with gateway.entered() as (_, socket):
        say_ticks(socket, 1, 3)
        await until(lambda: socket.last("ack"))
        assert socket.last("ack") == {"type": "ack", "symbol": "XAUUSD", "seq": 3}
    assert gateway.store.times() == times(1, 3)
    assert gateway.wakers.woken == [("XAUUSD", True)]


async def test_what_gathers_while_redis_is_away_is_one_entry_afterwards(
    gateway: MemoryGateway,
) -> None:
    async with gateway.entered() as (_, socket):
        gateway.store.is_down = True
        say_ticks(socket, 1, 1)
        await asyncio.sleep(0.02)
        say_ticks(socket, 2, 1)
        say_ticks(socket, 3, 1)
        await asyncio.sleep(0.02)
        gateway.store.is_down = False
        await until(lambda: (socket.last("ack") or {}).get("seq") == 3)
    assert gateway.store.times() == times(1, 3)
    assert [entry_id for entry_id, _ in gateway.store.entries["ticks:XAUUSD"]] == ["1-0", "3-0"]


async def test_a_watermark_stands_behind_the_ticks_before_it(gateway: MemoryGateway) -> None:
    quarter_past = NOON + 900_000
    async with gateway.entered() as (_, socket):
        say_ticks(socket, 1, 2)
        beat = {"type": "heartbeat", "timestamp": "2024-01-05T12:15:00.000Z"}
        socket.say(**beat, watermark={"XAUUSD": quarter_past})
        await until(gateway.store.watermarks)
        assert socket.last("heartbeat_ack")
    assert gateway.store.watermarks() == [quarter_past]
    assert gateway.store.times() == times(1, 2)


async def test_bad_ticks_are_answered_once_and_acknowledged(gateway: MemoryGateway) -> None:
    async with gateway.entered() as (_, socket):
        rows = quotes(NOON, 3)
        rows[1][1] = -1.0
        socket.say(type="ticks", symbol="XAUUSD", seq=1, rows=rows)
        await until(lambda: socket.last("ack") and socket.last("error"))
        assert socket.last("ack")["seq"] == 3
        assert socket.last("error")["code"] == "BAD_TICK"
        assert "seq 2" in socket.last("error")["message"]
    assert len(gateway.store.times()) == 2


async def test_what_was_read_before_the_peer_went_is_still_stored(gateway: MemoryGateway) -> None:
    async with gateway.entered() as (_, socket):
        gateway.store.is_down = True
        say_ticks(socket, 1, 5)
        await asyncio.sleep(0.02)
        socket.hang_up()
        await asyncio.sleep(0.02)
        gateway.store.is_down = False
    assert gateway.store.times() == times(1, 5)


async def test_the_end_of_a_connection_begins_the_grace_time_of_its_lease(
    gateway: MemoryGateway,
) -> None:
    async with gateway.entered():
        assert not gateway.store.states["ticks:XAUUSD:state"]["active_gone"]
    assert gateway.store.states["ticks:XAUUSD:state"]["active_gone"] == str(gateway.store.now_ms)


async def test_draining_stores_acknowledges_and_closes(gateway: MemoryGateway) -> None:
    async with gateway.entered() as (session, socket):
        say_ticks(socket, 1, 4)
        await until(gateway.store.times)
        await session.drain()
        await asyncio.wait_for(session.ended.wait(), 5)
        assert socket.closed == (1001, "the server goes down")
        assert socket.last("ack")["seq"] == 4


async def test_a_revoked_connector_is_refused(gateway: MemoryGateway) -> None:
    gateway.database.revoked.add("mt5")
    async with gateway.connected() as (_, socket):
        socket.say(type="auth", token="mt5", symbols=["XAUUSD"])
        await until(lambda: socket.closed)
        assert socket.closed == (4401, "AUTH_FAILED: the connector is revoked")
        assert not socket.is_let_in
    assert gateway.admitted == []


@pytest.mark.parametrize("away", ["database", "store"])
async def test_nobody_is_admitted_while_a_store_is_away(gateway: MemoryGateway, away: str) -> None:
    getattr(gateway, away).is_down = True
    async with gateway.connected() as (_, socket):
        socket.say(type="auth", token="mt5", symbols=["XAUUSD"])
        await until(lambda: socket.closed)
        assert socket.closed == (1013, "try again later")


async def test_a_standbys_ticks_are_acknowledged_and_dropped(gateway: MemoryGateway) -> None:
    async with gateway.entered("mt5"), gateway.entered("backup") as (_, socket):
        assert socket.last("auth_ok")["role"] == {"XAUUSD": "standby"}
        say_ticks(socket, 1, 2)
        await until(lambda: socket.last("ack"))
        assert socket.last("ack")["seq"] == 2
        assert socket.last("error")["code"] == "STANDBY"
    assert gateway.store.times() == []


async def test_a_lease_is_free_after_the_grace_time(gateway: MemoryGateway) -> None:
    async with gateway.entered("mt5"):
        pass
    gateway.store.now_ms += 10_000
    async with gateway.entered("backup") as (_, socket):
        assert socket.last("auth_ok")["role"] == {"XAUUSD": "active"}
    assert gateway.events.recorded == [("backup", "PROMOTED", "XAUUSD", "active in place of mt5")]


async def test_checking_leases_promotes_a_standby(gateway: MemoryGateway) -> None:
    async with gateway.entered("mt5"), gateway.entered("backup") as (session, socket):
        await session.check_leases()
        assert len([kind for kind in socket.sent_types() if kind == "auth_ok"]) == 1
        gateway.store.now_ms += 45_000
        await session.check_leases()
        await until(lambda: socket.last("auth_ok")["role"] == {"XAUUSD": "active"})
    assert gateway.events.recorded[-1] == (
        "backup",
        "PROMOTED",
        "XAUUSD",
        "active in place of mt5",
    )


async def test_an_active_connector_that_lost_its_lease_becomes_standby(
    gateway: MemoryGateway,
) -> None:
    async with gateway.entered("mt5") as (_, socket):
        gateway.store.states["ticks:XAUUSD:state"] |= {"active": "backup", "active_connection": "b"}
        say_ticks(socket, 1, 2)
        await until(lambda: socket.last("auth_ok")["role"] == {"XAUUSD": "standby"})
    assert gateway.store.times() == []


async def test_a_quiet_connector_is_sent_away_where_redis_lost_its_lease(
    gateway: MemoryGateway,
) -> None:
    async with gateway.entered() as (session, socket):
        gateway.store.lose_everything()
        await session.check_leases()
        await until(lambda: socket.closed)
        assert socket.closed == (1013, "resume from the beginning")


async def test_ticks_that_redis_no_longer_knows_are_resumed_and_not_stored(
    gateway: MemoryGateway,
) -> None:
    async with gateway.entered() as (_, socket):
        say_ticks(socket, 1, 3)
        await until(lambda: socket.last("ack"))
        gateway.store.lose_everything()
        say_ticks(socket, 4, 2)
        await until(lambda: socket.closed)
        assert socket.closed == (1013, "resume from the beginning")
    assert gateway.store.times() == []


async def test_history_is_stored_and_answered(gateway: MemoryGateway) -> None:
    async with gateway.entered() as (_, socket):
        rows = [[NOON - 900_000, 2000.0, 2001.0, 1999.0, 2000.5, 12]]
        socket.say(type="history", symbol="XAUUSD", timeframe="M15", rows=rows)
        await until(lambda: socket.last("history_ack"))
        assert socket.last("history_ack")["stored"] == 1
    assert gateway.database.history == [("XAUUSD", Timeframe.M15, 1)]


async def test_errors_of_the_terminal_are_recorded(gateway: MemoryGateway) -> None:
    async with gateway.entered() as (_, socket):
        at = "2024-01-05T12:00:00.000Z"
        socket.say(type="error", code="MT5_DISCONNECTED", message="gone", timestamp=at)
        await until(lambda: gateway.events.recorded)
    assert gateway.events.recorded == [("mt5", "MT5_DISCONNECTED", "", "gone")]


async def test_a_fault_ends_the_session_and_is_logged(
    gateway: MemoryGateway, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway.entered() as (session, socket):
        gateway.database.fault = RuntimeError("nobody foresaw this")
        socket.say(type="auth", token="mt5", symbols=["XAUUSD"])
        await asyncio.wait_for(session.ended.wait(), 5)
    assert "session of 'mt5' failed" in caplog.text


async def test_one_connection_too_many_is_sent_away(gateway: MemoryGateway) -> None:
    session, socket = gateway.session()
    await session.turn_away()
    assert socket.sent_types() == ["connected", "error"]
    assert socket.closed == (4429, "TOO_MANY_CONNECTIONS: no place is free")


async def test_a_second_spool_under_the_name_of_a_connected_one_is_refused_with_a_sentence_to_both(
    gateway: MemoryGateway,
) -> None:
    async with gateway.connected() as (first, socket), gateway.connected() as (_, other):
        socket.say(type="auth", token="mt5", symbols=["XAUUSD"], spool="one")
        await until(lambda: socket.last("auth_ok"))
        other.say(type="auth", token="mt5", symbols=["XAUUSD"], spool="two")
        await until(lambda: other.closed)
        await first.check_leases()
        await until(lambda: socket.last("error"))

    assert other.closed == (
        4409,
        (
            "NAME_IN_USE: mt5 is connected with another spool; give this connector a name of "
            "its own or stop that one"
        ),
    )
    assert other.last("auth_ok") is None
    assert socket.closed is None
    assert (socket.last("error") or {})["message"] == (
        "a second connector that calls itself mt5, with another spool, was refused; give it a "
        "name of its own"
    )
    assert gateway.events.recorded == [
        (
            "mt5",
            "NAME_IN_USE",
            "",
            "a second connector that calls itself mt5, with another spool, was refused",
        )
    ]


async def test_a_name_is_free_for_another_spool_when_its_session_has_ended(
    gateway: MemoryGateway,
) -> None:
    for spool in ("one", "two"):
        async with gateway.connected() as (_, socket):
            socket.say(type="auth", token="mt5", symbols=["XAUUSD"], spool=spool)
            await until(lambda socket=socket: socket.last("auth_ok"))


async def test_a_symbol_in_another_case_is_refused_with_the_known_spelling(
    gateway: MemoryGateway,
) -> None:
    both = Claims("mt5", ("xauusd", "EURUSD"), "id", 0, 4_000_000_000)
    async with gateway.connected() as (session, socket):
        session.connection.verify = lambda _token, _now: both
        socket.say(type="auth", token="mt5", symbols=["xauusd", "EURUSD"])
        await until(lambda: socket.last("auth_ok"))

    assert (socket.last("error") or {})["message"] == (
        "xauusd is called XAUUSD here: send it under that name"
    )
    assert (socket.last("auth_ok") or {})["role"] == {"EURUSD": "active"}


async def test_a_connector_that_would_be_one_too_many_is_turned_away(
    gateway: MemoryGateway,
) -> None:
    gateway.has_room = False
    async with gateway.connected() as (_, socket):
        socket.say(type="auth", token="mt5", symbols=["XAUUSD"])
        await until(lambda: socket.closed)
    assert socket.closed == (4429, "TOO_MANY_CONNECTIONS: no place is free")
    assert not socket.is_let_in
