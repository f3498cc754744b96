"""Letting a connector in whose token is good: unless it is revoked, by its name, in its roles."""

import asyncio
import logging
from dataclasses import replace

from signals_app.connector_permits import Permit
from signals_app.gateway import replies
from signals_app.gateway.actions import Admit
from signals_app.gateway.availability import DatabaseUnavailable, StreamUnavailable
from signals_app.gateway.clock import wall_ms
from signals_app.gateway.connection import TRY_AGAIN_LATER, Connection
from signals_app.gateway.message_sender import MessageSender
from signals_app.gateway.ports import GatewayDatabase
from signals_app.gateway.session_leases import SessionLeases
from signals_app.gateway.session_name import SessionName
from signals_app.gateway.session_socket import SessionSocket
from signals_app.gateway.tick_writer import TickWriter

log = logging.getLogger(__name__)


class Admission:
    """Carries out the `Admit` of one connection, the first one and those that renew a token."""

    def __init__(
        self,
        database: GatewayDatabase,
        socket: SessionSocket,
        connection: Connection,
        name: SessionName,
        leases: SessionLeases,
        ticks: TickWriter,
        sender: MessageSender,
    ) -> None:
        self._database = database
        self._socket = socket
        self._connection = connection
        self._name = name
        self._leases = leases
        self._ticks = ticks
        self._sender = sender

    async def admit(self, admit: Admit) -> bool:
        """Let the connector in, or say why not; returns whether it is in.

        What it sent before is stored first, so that it resumes where it really is.
        """
        connector = admit.claims.connector
        self._socket.verified()
        try:
            (permit,) = await asyncio.to_thread(self._database.permits, [admit.claims])
            if permit.refusal:
                self._sender.carry_out(self._connection.refused(permit.refusal, wall_ms()))
                return False
            admit = await self._with_known_spellings(self._within(permit, admit))
            if not admit.symbols or not await self._name.acquire(admit):
                return False
            await self._ticks.drained()
            assignments = {
                symbol: await self._leases.join(symbol, connector) for symbol in admit.symbols
            }
            await self._leases.leave(self._connection.roles.by_symbol.keys() - assignments.keys())
        except (StreamUnavailable, DatabaseUnavailable) as error:
            log.warning("connector %r cannot be let in now: %s", connector, error)
            self._sender.carry_out(self._connection.end(TRY_AGAIN_LATER, "try again later"))
            return False
        self._socket.let_in()
        self._sender.carry_out(
            self._connection.admitted(admit.claims, assignments, wall_ms(), admit.spool)
        )
        return True

    def _within(self, permit: Permit, admit: Admit) -> Admit:
        """Leave out, with a sentence, the symbols that its row or key does not allow."""
        for symbol in admit.symbols:
            if symbol not in permit.symbols:
                self._sender.carry_out((replies.not_permitted(symbol, wall_ms()),))
        return replace(
            admit, symbols=tuple(symbol for symbol in admit.symbols if symbol in permit.symbols)
        )

    async def _with_known_spellings(self, admit: Admit) -> Admit:
        """Leave out, with a sentence, the symbols that are instruments in another case only.

        Raises `DatabaseUnavailable`.
        """
        known = self._database.other_spellings
        spellings = await asyncio.to_thread(known, admit.symbols)
        for symbol, known_as in spellings.items():
            self._sender.carry_out((replies.misspelt(symbol, known_as, wall_ms()),))
        symbols = tuple(symbol for symbol in admit.symbols if symbol not in spellings)
        return replace(admit, symbols=symbols)
