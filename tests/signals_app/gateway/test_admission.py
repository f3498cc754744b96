"""A connector with a good token is let in, or hears why not."""

import asyncio

import pytest

from mt5_bridge.protocol.wire import Role
from signals_app.gateway.actions import Admit, Close
from signals_app.gateway.admission import Admission
from signals_app.gateway.append_log import AppendLog
from signals_app.gateway.connection import TRY_AGAIN_LATER, Connection
from signals_app.gateway.lease import LeaseTimeouts
from signals_app.gateway.message_sender import MessageSender
from signals_app.gateway.session_leases import SessionLeases
from signals_app.gateway.session_name import SessionName
from signals_app.gateway.tick_writer import TickWriter
from signals_app.gateway.tokens import Claims
from tests.signals_app.gateway.conftest import MemoryDatabase
from tests.signals_app.gateway.fakes import (
    FakeEvents,
    FakeNames,
    FakeSocket,
    FakeWakers,
    MemoryStore,
)

NOON = 1_704_456_000_000
SYMBOLS = ("XAUUSD", "EURUSD", "xauusd")
CLAIMS = Claims("mt5", SYMBOLS, "id", NOON // 1000, NOON // 1000 + 3600)


class AdmissionHarness:
    """An admission with everything behind it in memory; `said` is what the connector is sent."""

    def __init__(self) -> None:
        self.store, self.database, self.events = MemoryStore(), MemoryDatabase(), FakeEvents()
        self.names, self.socket, self.said = FakeNames(), FakeSocket(), []
        log = AppendLog(self.store, self._no_checkpoint, timeouts=LeaseTimeouts(45_000, 10_000))
        self.connection = Connection(lambda token, now: CLAIMS, NOON)
        sender = MessageSender(self.socket)
        sender.carry_out = self.said.extend
        self.leases = SessionLeases(log, self.events, "s1")
        ticks = TickWriter(log, FakeWakers(), self.connection, self.leases, sender, "s1")
        name = SessionName(self.names, self.events, self.connection, sender, "s1")
        self.admission = Admission(
            self.database, self.socket, self.connection, name, self.leases, ticks, sender
        )

    async def admit(self, *symbols: str) -> bool:
        return await asyncio.wait_for(self.admission.admit(Admit(CLAIMS, symbols, "spool")), 5)

    async def _no_checkpoint(self, symbol: str) -> None:
        return None


@pytest.fixture
async def harness() -> AdmissionHarness:
    return AdmissionHarness()


async def test_it_is_let_in_with_a_role_for_each_symbol(harness: AdmissionHarness) -> None:
    assert await harness.admit("XAUUSD", "EURUSD")

    assert harness.socket.is_verified
    assert harness.socket.is_let_in
    assert harness.connection.roles.by_symbol == {"XAUUSD": Role.ACTIVE, "EURUSD": Role.ACTIVE}
    assert harness.names.held == {"mt5": ("spool", "s1")}
    (welcome,) = harness.said
    assert welcome.message.role == {"XAUUSD": Role.ACTIVE, "EURUSD": Role.ACTIVE}


async def test_with_a_renewed_token_it_leaves_the_symbols_that_it_no_longer_names(
    harness: AdmissionHarness,
) -> None:
    await harness.admit("XAUUSD", "EURUSD")

    assert await harness.admit("EURUSD")

    assert harness.connection.roles.by_symbol == {"EURUSD": Role.ACTIVE}


async def test_a_revoked_connector_is_refused(harness: AdmissionHarness) -> None:
    harness.database.revoked.add("mt5")

    assert not await harness.admit("XAUUSD")

    assert (harness.connection.closed, harness.socket.is_let_in) == (True, False)
    assert harness.names.held == {}


async def test_a_token_of_a_revoked_key_is_refused(harness: AdmissionHarness) -> None:
    harness.database.revoked_keys.add("")

    assert not await harness.admit("XAUUSD")

    assert harness.connection.closed


async def test_what_the_connectors_row_does_not_allow_is_left_out_with_a_sentence(
    harness: AdmissionHarness,
) -> None:
    harness.database.ceilings["mt5"] = {"EURUSD"}

    assert await harness.admit("XAUUSD", "EURUSD")

    assert list(harness.connection.roles.by_symbol) == ["EURUSD"]
    assert "not among the symbols" in harness.said[0].message.message
    assert not await harness.admit("XAUUSD")


async def test_a_symbol_in_another_case_is_left_out_with_a_sentence(
    harness: AdmissionHarness,
) -> None:
    assert await harness.admit("xauusd", "EURUSD")

    assert list(harness.connection.roles.by_symbol) == ["EURUSD"]
    assert "XAUUSD" in harness.said[0].message.message
    assert not await harness.admit("xauusd")


async def test_a_name_that_another_spool_holds_lets_nobody_in(harness: AdmissionHarness) -> None:
    harness.names.held["mt5"] = ("other spool", "other session")

    assert not await harness.admit("XAUUSD")

    assert (harness.connection.closed, harness.connection.roles.by_symbol) == (True, {})


@pytest.mark.parametrize("part", ["database", "store"])
async def test_without_database_or_redis_it_is_asked_to_come_again(
    harness: AdmissionHarness, part: str
) -> None:
    getattr(harness, part).is_down = True

    assert not await harness.admit("XAUUSD")

    assert harness.said == [Close(TRY_AGAIN_LATER, "try again later")]
    assert not harness.socket.is_let_in
