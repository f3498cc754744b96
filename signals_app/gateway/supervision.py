"""Watches over the open sessions: limits, silence, leases, revoked connectors, presence."""

import asyncio
import logging

from mt5_bridge.protocol.wire import Role
from signals_app.connector_permits import Permit
from signals_app.gateway import metrics
from signals_app.gateway.availability import DatabaseUnavailable, StreamUnavailable
from signals_app.gateway.background import BackgroundTasks
from signals_app.gateway.clock import wall_ms
from signals_app.gateway.connection import GOING_AWAY
from signals_app.gateway.known_addresses import KnownAddresses
from signals_app.gateway.ports import GatewayDatabase
from signals_app.gateway.session import ConnectorSession

log = logging.getLogger(__name__)


class SessionSupervisor:
    """The open sessions of a gateway, and what is done about them now and then."""

    def __init__(
        self, database: GatewayDatabase, tasks: BackgroundTasks, known: KnownAddresses
    ) -> None:
        self._database = database
        self._known = known
        self._tasks = tasks
        self._sessions: set[ConnectorSession] = set()

    def has_room(self, maximum: int) -> bool:
        """Whether one more connector may be let in."""
        return sum(session.connection.claims is not None for session in self._sessions) < maximum

    async def serve(self, session: ConnectorSession) -> None:
        """Run a session under supervision until it ends."""
        self._sessions.add(session)
        metrics.connections_active.inc()
        try:
            await session.run()
        finally:
            self._sessions.discard(session)
            metrics.connections_active.dec()

    def admitted(self, session: ConnectorSession) -> None:
        """End older sessions of the same connector and symbols, so that one speaks for it."""
        if session.address is not None:
            self._known.remember(session.address)
        for other in list(self._sessions):
            same = other.name == session.name and other.symbols & session.symbols
            if other is not session and same:
                end = other.connection.end(GOING_AWAY, "replaced by a newer connection")
                other.carry_out(end)
        self._tasks.start(self.record_presence())

    async def drain(self) -> None:
        """Let all sessions store and acknowledge what they have read, and end."""
        sessions = list(self._sessions)
        await asyncio.gather(*(session.drain() for session in sessions))
        await asyncio.gather(*(session.ended.wait() for session in sessions))

    async def close_overdue(self) -> None:
        """Close what is overdue. Asks nobody, so that nobody can hold it up."""
        now_ms = wall_ms()
        for session in self._sessions:
            session.carry_out(session.connection.overdue(now_ms))

    async def check_leases(self) -> None:
        """Promote standbys whose active connector is away, and notice what Redis lost."""
        for session in list(self._sessions):
            try:
                await session.check_leases()
            except (StreamUnavailable, DatabaseUnavailable):
                continue
            except Exception:
                log.exception("the leases of %r cannot be checked now", session.name)

    async def close_revoked(self) -> None:
        """Close the connections whose connector or API key was revoked, or may send less now."""
        sessions = [(session, session.connection.claims) for session in self._sessions]
        held = [(session, claims) for session, claims in sessions if claims is not None]
        if not held:
            return
        tokens = [claims for _, claims in held]
        try:
            permits = await asyncio.to_thread(self._database.permits, tokens)
        except DatabaseUnavailable as error:
            log.warning("revocations cannot be read now: %s", error)
            return
        for (session, claims), permit in zip(held, permits, strict=True):
            if session.connection.claims is claims:
                _close_unless(permit, session)

    async def record_presence(self) -> None:
        """Note in the database who is connected, and with which roles."""
        roles: dict[str, dict[str, Role]] = {}
        for session in self._sessions:
            if session.name and not session.connection.closed:
                roles.setdefault(session.name, {}).update(session.connection.roles.by_symbol)
        if roles:
            try:
                await asyncio.to_thread(self._database.record_presence, roles)
            except DatabaseUnavailable as error:
                log.warning("who is connected cannot be recorded now: %s", error)

    async def exchange_addresses(self) -> None:
        """Share with the other gateways from where connectors were let in."""
        try:
            await self._known.exchange()
        except StreamUnavailable as error:
            log.warning("the addresses of connectors cannot be shared now: %s", error)


def _close_unless(permit: Permit, session: ConnectorSession) -> None:
    reason = permit.refusal
    beyond = session.symbols - permit.symbols
    if not reason and beyond:
        reason = f"the connector may no longer send {', '.join(sorted(beyond))}"
    if reason:
        log.warning("connector %r is cut off: %s", session.name, reason)
        session.carry_out(session.connection.refused(reason, wall_ms()))
