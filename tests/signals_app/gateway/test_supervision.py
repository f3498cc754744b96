"""What is done about open sessions now and then."""

import asyncio
from dataclasses import dataclass, field

import pytest

from mt5_bridge.protocol.wire import Role
from signals_app.gateway import metrics
from signals_app.gateway.actions import Actions, Close
from signals_app.gateway.availability import StreamUnavailable
from signals_app.gateway.background import BackgroundTasks
from signals_app.gateway.connection import Connection
from signals_app.gateway.roles import Assignment
from signals_app.gateway.supervision import SessionSupervisor
from signals_app.gateway.tokens import Claims
from tests.signals_app.gateway.conftest import MemoryDatabase

NOON = 1_704_456_000_000


@dataclass(eq=False)
class FakeSession:
    """Stands in for `ConnectorSession`; runs until the test ends it."""

    connection: Connection
    fault: Exception | None = None
    checks: int = 0
    is_drained: bool = False
    carried_out: list[object] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    address = "192.0.2.1"

    @property
    def name(self) -> str:
        return self.connection.name

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset(self.connection.roles.by_symbol)

    async def run(self) -> None:
        await self.ended.wait()

    async def drain(self) -> None:
        self.is_drained = True
        self.ended.set()

    async def check_leases(self) -> None:
        self.checks += 1
        if self.fault is not None:
            raise self.fault

    def carry_out(self, actions: Actions) -> None:
        self.carried_out += actions

    def close_reason(self) -> str | None:
        found = [action for action in self.carried_out if isinstance(action, Close)]
        return found[-1].reason if found else None


class FakeAddresses:
    """Stands in for `KnownAddresses`."""

    def __init__(self) -> None:
        self.remembered: list[str] = []
        self.exchanges = 0

    def remember(self, address: str) -> None:
        self.remembered.append(address)

    async def exchange(self) -> None:
        self.exchanges += 1
        raise StreamUnavailable("away")


class SupervisorHarness:
    """A supervisor with open sessions."""

    def __init__(self) -> None:
        self.database, self.tasks = MemoryDatabase(), BackgroundTasks()
        self.known = FakeAddresses()
        self.supervisor = SessionSupervisor(self.database, self.tasks, self.known)

    async def open(self, name: str = "", role: Role = Role.ACTIVE, key: str = "") -> FakeSession:
        connection = Connection(lambda token, now: None, NOON)
        if name:
            claims = Claims(name, ("XAUUSD",), "id", NOON // 1000, NOON // 1000 + 3600, key)
            connection.admitted(claims, {"XAUUSD": Assignment(role, 0, None)}, NOON)
        session = FakeSession(connection)
        self.tasks.start(self.supervisor.serve(session))
        await asyncio.sleep(0)
        return session


@pytest.fixture
async def harness() -> SupervisorHarness:
    return SupervisorHarness()


async def test_connections_are_counted_while_they_are_open(harness: SupervisorHarness) -> None:
    before = metrics.connections_active._value.get()
    session = await harness.open()
    assert metrics.connections_active._value.get() == before + 1
    await harness.supervisor.drain()
    await asyncio.sleep(0)
    assert session.is_drained
    assert metrics.connections_active._value.get() == before
    assert harness.supervisor.has_room(1)


async def test_connectors_are_limited_and_strangers_take_none_of_their_places(
    harness: SupervisorHarness,
) -> None:
    await harness.open()
    await harness.open("mt5")
    assert harness.supervisor.has_room(2)
    assert not harness.supervisor.has_room(1)
    await harness.tasks.cancel_all()


async def test_a_newer_session_of_a_connector_ends_the_older_one(
    harness: SupervisorHarness,
) -> None:
    older, other, newer = [await harness.open(name) for name in ("mt5", "backup", "mt5")]
    harness.supervisor.admitted(newer)
    assert harness.known.remembered == ["192.0.2.1"]
    assert older.close_reason() == "replaced by a newer connection"
    assert (other.close_reason(), newer.close_reason()) == (None, None)
    await harness.tasks.cancel_all()


async def test_revoked_connectors_are_closed_and_others_are_not(harness: SupervisorHarness) -> None:
    revoked, good = await harness.open("mt5"), await harness.open("backup")
    harness.database.revoked.add("mt5")
    await harness.supervisor.close_revoked()
    assert revoked.close_reason() == "AUTH_FAILED: the connector is revoked"
    assert good.close_reason() is None
    await harness.tasks.cancel_all()


async def test_a_revoked_key_ends_the_sessions_of_its_tokens_alone(
    harness: SupervisorHarness,
) -> None:
    ended, good = await harness.open("mt5", key="7f3c"), await harness.open("backup", key="a1b2")
    harness.database.revoked_keys.add("7f3c")
    await harness.supervisor.close_revoked()
    reason = "AUTH_FAILED: the API key of the token is revoked or has expired"
    assert ended.close_reason() == reason
    assert good.close_reason() is None
    await harness.tasks.cancel_all()


async def test_a_connector_that_may_send_less_now_is_closed(harness: SupervisorHarness) -> None:
    session = await harness.open("mt5")
    harness.database.ceilings["mt5"] = {"EURUSD"}
    await harness.supervisor.close_revoked()
    assert session.close_reason() == "AUTH_FAILED: the connector may no longer send XAUUSD"
    await harness.tasks.cancel_all()


async def test_nobody_is_closed_while_the_database_cannot_say_who_is_revoked(
    harness: SupervisorHarness,
) -> None:
    session = await harness.open("mt5")
    harness.database.revoked.add("mt5")
    harness.database.is_down = True
    await harness.supervisor.close_revoked()
    assert session.close_reason() is None
    await harness.tasks.cancel_all()


async def test_time_alone_closes_what_is_overdue(harness: SupervisorHarness) -> None:
    stranger = await harness.open()
    await harness.supervisor.close_overdue()
    assert stranger.close_reason() == "AUTH_TIMEOUT: no valid auth in time"
    await harness.tasks.cancel_all()


async def test_addresses_that_cannot_be_shared_now_are_no_fault(
    harness: SupervisorHarness,
) -> None:
    await harness.supervisor.exchange_addresses()
    assert harness.known.exchanges == 1


@pytest.mark.parametrize("fault", [StreamUnavailable("away"), RuntimeError("unforeseen")])
async def test_a_session_whose_leases_cannot_be_checked_does_not_stop_the_others(
    harness: SupervisorHarness, fault: Exception
) -> None:
    sessions = [await harness.open(name) for name in ("mt5", "backup")]
    for session in sessions:
        session.fault = fault
    await harness.supervisor.check_leases()
    assert [session.checks for session in sessions] == [1, 1]
    await harness.tasks.cancel_all()


async def test_presence_names_the_roles_of_connectors_that_are_open(
    harness: SupervisorHarness,
) -> None:
    await harness.open()
    await harness.open("mt5")
    await harness.open("backup", Role.STANDBY)
    closed = await harness.open("gone")
    closed.connection.end(1001, "")
    await harness.supervisor.record_presence()
    assert harness.database.present == {
        "mt5": {"XAUUSD": Role.ACTIVE},
        "backup": {"XAUUSD": Role.STANDBY},
    }
    await harness.tasks.cancel_all()
