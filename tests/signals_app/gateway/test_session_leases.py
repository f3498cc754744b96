"""What a session knows of its symbols."""

import pytest

from mt5_bridge.protocol.wire import Role, Row
from signals_app.gateway.append_log import AppendLog, AppendRequest
from signals_app.gateway.append_plan import Batch
from signals_app.gateway.lease import LeaseTimeouts
from signals_app.gateway.roles import Assignment
from signals_app.gateway.session_leases import SessionLeases
from tests.signals_app.gateway.fakes import FakeEvents, MemoryStore

GOLD = "XAUUSD"
NOON = 1_704_456_000_000


class LeaseHarness:
    def __init__(self) -> None:
        self.store, self.events = MemoryStore(), FakeEvents()
        self.log = AppendLog(
            self.store, self._no_checkpoint, timeouts=LeaseTimeouts(45_000, 10_000)
        )

    def leases(self, session_id: str) -> SessionLeases:
        return SessionLeases(self.log, self.events, session_id)

    async def append(self, session_id: str) -> None:
        batch = Batch(1, [Row(NOON, 2000.0, 2000.3)])
        await self.log.append([AppendRequest(GOLD, "mt5", session_id, 0, [batch])], None)

    async def _no_checkpoint(self, symbol: str) -> None:
        return None


@pytest.fixture
def harness() -> LeaseHarness:
    return LeaseHarness()


async def test_a_new_symbol_is_without_ticks_until_one_is_stored(harness: LeaseHarness) -> None:
    leases = harness.leases("s1")
    assert await leases.join(GOLD, "mt5") == Assignment(Role.ACTIVE, 0, None)
    assert leases.is_without_ticks(GOLD)
    leases.stored(GOLD, 4)
    assert not leases.is_without_ticks(GOLD)
    assert leases.known_seq(GOLD) == 4
    assert leases.known_seq("EURUSD") == 0


async def test_joining_again_resumes_behind_the_last_stored_tick(harness: LeaseHarness) -> None:
    await harness.leases("s1").join(GOLD, "mt5")
    await harness.append("s1")
    later = harness.leases("s2")
    assert await later.join(GOLD, "mt5") == Assignment(Role.ACTIVE, 1, NOON)
    assert later.known_seq(GOLD) == 1
    assert not later.is_without_ticks(GOLD)


async def test_a_promotion_is_recorded_and_a_first_role_is_not(harness: LeaseHarness) -> None:
    first = harness.leases("s1")
    await first.join(GOLD, "mt5")
    await first.leave_all()
    assert harness.events.recorded == []
    harness.store.now_ms += 10_000
    assert (await harness.leases("s2").join(GOLD, "backup")).role is Role.ACTIVE
    assert harness.events.recorded == [("backup", "PROMOTED", GOLD, "active in place of mt5")]


async def test_the_end_of_an_older_session_leaves_the_lease_of_the_newer_one(
    harness: LeaseHarness,
) -> None:
    older, newer = harness.leases("s1"), harness.leases("s2")
    await older.join(GOLD, "mt5")
    await newer.join(GOLD, "mt5")
    await older.leave_all()
    harness.store.now_ms += 10_000
    assert (await harness.leases("s3").join(GOLD, "backup")).role is Role.STANDBY


async def test_a_lease_is_lost_where_redis_lost_what_was_stored(harness: LeaseHarness) -> None:
    leases = harness.leases("s1")
    await leases.join(GOLD, "mt5")
    await harness.append("s1")
    leases.stored(GOLD, 1)
    assert not await leases.is_lost(GOLD, "mt5")
    harness.store.lose_everything()
    assert await leases.is_lost(GOLD, "mt5")
