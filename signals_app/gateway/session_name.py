"""A connector's name, which one session holds at a time: taken, renewed and given back."""

from signals_app.connector_codes import ConnectorEventCode
from signals_app.gateway.actions import Admit
from signals_app.gateway.clock import wall_ms
from signals_app.gateway.connection import Connection, second_spool
from signals_app.gateway.event_writer import EventWriter
from signals_app.gateway.message_sender import MessageSender
from signals_app.gateway.name_lease import Acquired, NameLeases


class SessionName:
    """The name of the connector behind one connection. Each call may raise `StreamUnavailable`."""

    def __init__(
        self,
        names: NameLeases,
        events: EventWriter,
        connection: Connection,
        sender: MessageSender,
        session_id: str,
    ) -> None:
        self._names = names
        self._events = events
        self._connection = connection
        self._sender = sender
        self._session_id = session_id

    async def acquire(self, admit: Admit) -> bool:
        """Take the name; where another spool holds it, refuse the connector and record that."""
        name = admit.claims.connector
        acquired = await self._names.acquire(name, admit.symbols, admit.spool, self._session_id)
        if acquired is Acquired.GRANTED:
            return True
        if acquired is Acquired.REFUSED:
            self._events.record(name, ConnectorEventCode.NAME_IN_USE, "", second_spool(name))
        self._sender.carry_out(self._connection.name_in_use(name, wall_ms()))
        return False

    async def renew(self) -> None:
        """Renew it, and let the connector hear of a second one that wanted it."""
        connection = self._connection
        if not connection.name or connection.closed:
            return
        symbols, spool = frozenset(connection.roles.by_symbol), connection.spool
        if await self._names.renew(connection.name, symbols, spool, self._session_id):
            self._sender.carry_out(connection.name_was_wanted(wall_ms()))

    async def release(self) -> None:
        """Give it back, if there is one."""
        name, symbols = self._connection.name, frozenset(self._connection.roles.by_symbol)
        if name:
            await self._names.release(name, symbols, self._session_id)
