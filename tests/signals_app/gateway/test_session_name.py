"""One name, one spool: taken, kept and given back by a session."""

from dataclasses import dataclass, field

import pytest

from mt5_bridge.protocol.wire import ErrorCode, Role
from signals_app.gateway.actions import Admit
from signals_app.gateway.connection import Connection
from signals_app.gateway.message_sender import MessageSender
from signals_app.gateway.roles import Assignment
from signals_app.gateway.session_name import SessionName
from signals_app.gateway.tokens import Claims
from tests.signals_app.gateway.fakes import FakeEvents, FakeNames, FakeSocket

NOON = 1_704_456_000_000
CLAIMS = Claims("mt5", ("XAUUSD",), "id", NOON // 1000, NOON // 1000 + 3600)


@dataclass
class Peer:
    """A connection with its name, in memory."""

    names: FakeNames
    events: FakeEvents
    session_id: str
    socket: FakeSocket = field(default_factory=FakeSocket)

    def __post_init__(self) -> None:
        self.connection = Connection(lambda token, now: CLAIMS, NOON)
        self.sender = MessageSender(self.socket)
        self.name = SessionName(
            self.names, self.events, self.connection, self.sender, self.session_id
        )

    async def acquire(self, spool: str) -> bool:
        return await self.name.acquire(Admit(CLAIMS, CLAIMS.symbols, spool))

    def admitted(self, spool: str) -> None:
        self.connection.admitted(CLAIMS, {"XAUUSD": Assignment(Role.ACTIVE, 0, None)}, NOON, spool)

    @property
    def is_closed(self) -> bool:
        return self.connection.closed


@pytest.fixture
async def peers() -> tuple[Peer, Peer]:
    names, events = FakeNames(), FakeEvents()
    return Peer(names, events, "first"), Peer(names, events, "second")


async def test_a_second_spool_under_the_name_is_refused_and_recorded(
    peers: tuple[Peer, Peer],
) -> None:
    first, second = peers

    assert await first.acquire("spool-a")
    assert not await second.acquire("spool-b")

    assert (first.is_closed, second.is_closed) == (False, True)
    ((connector, code, symbol, text),) = first.events.recorded
    assert (connector, code, symbol) == ("mt5", ErrorCode.NAME_IN_USE, "")
    assert text == "a second connector that calls itself mt5, with another spool, was refused"


async def test_the_same_spool_may_connect_again_before_its_old_line_has_ended(
    peers: tuple[Peer, Peer],
) -> None:
    first, second = peers

    assert await first.acquire("spool-a")
    assert await second.acquire("spool-a")
    assert first.events.recorded == []


async def test_whoever_has_the_name_hears_of_the_second_one_once(
    peers: tuple[Peer, Peer],
) -> None:
    first, second = peers
    await first.acquire("spool-a")
    first.admitted("spool-a")
    await second.acquire("spool-b")
    noticed: list[object] = []
    first.sender.carry_out = lambda actions: noticed.extend(actions)  # type: ignore[method-assign]

    await first.name.renew()
    await first.name.renew()

    ((action),) = noticed
    assert action.message.code == ErrorCode.NAME_IN_USE  # type: ignore[attr-defined]
    assert not first.is_closed


async def test_before_its_admission_a_connection_has_no_name_to_keep_or_give_back(
    peers: tuple[Peer, Peer],
) -> None:
    first, second = peers
    await first.acquire("spool-a")
    first.admitted("spool-a")

    await second.name.renew()
    await second.name.release()
    assert first.names.held == {"mt5": ("spool-a", "first")}

    await first.name.release()
    assert first.names.held == {}
