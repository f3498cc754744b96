"""WebSocket connections that cannot be made to hold much, or to keep the others waiting: what peers
send is bounded before it is kept and handled a turn at a time, and what they do not read is
bounded too.
"""

import asyncio
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection
from websockets.protocol import Event
from websockets.server import ServerProtocol

from signals_app.gateway.bounded_protocol import BoundedProtocol
from signals_app.gateway.http_connection import HttpConnection
from signals_app.gateway.http_entry import HttpEntry
from signals_app.gateway.listening_socket import ListeningSocket
from signals_app.gateway.places import ConnectionPlace, Stage

_MAX_UNSENT_BYTES: Final = 1 << 20
_POST: Final = b"POST "


class GatewayConnection(ServerConnection):
    """A connection whose peer may send little until `let_in` is called."""

    def __init__(
        self,
        protocol: ServerProtocol,
        server: Server,
        *,
        listening: ListeningSocket,
        entry: HttpEntry | None = None,
        **options: Any,
    ) -> None:
        self._bounded = BoundedProtocol(logger=protocol.logger)
        super().__init__(self._bounded, server, **options)
        self._listening = listening
        self._entry = entry
        # What came before it is known whether the peer posts; afterwards `None`.
        self._opening: bytes | None = b""
        self._place: ConnectionPlace | None = None
        self._is_queue_full = False
        self._next_turn: asyncio.Handle | None = None

    def verified(self) -> None:
        """The peer's token is good: it keeps its place while it is looked up."""
        self._advance(Stage.VERIFIED)

    def let_in(self) -> None:
        """Allow what a connector may send from now on."""
        self._bounded.let_in()
        self._free_place()

    @property
    def address(self) -> str | None:
        """The peer's address, as places count addresses."""
        return self._place.address if self._place is not None else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._place = self._listening.place_of(transport.get_extra_info("peername"))
        self._advance(Stage.ENCRYPTED)
        self.recv_messages.pause = self._pause
        self.recv_messages.resume = self._resume

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next_turn is not None:
            self._next_turn.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read; but drop a peer that makes us answer and never reads the answers."""
        if self._opening is not None:
            self._opening += data
            if len(self._opening) < len(_POST) and _POST.startswith(self._opening):
                return
            data, self._opening = self._opening, None
            if self._entry is not None and data.startswith(_POST):
                self._hand_over(self._entry, data)
                return
        super().data_received(data)
        if self._bounded.is_held and self._next_turn is None:
            self.transport.pause_reading()
            if not self._is_queue_full:
                self._next_turn = self.loop.call_soon(self._take_turn)
        if self.transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            self.transport.abort()

    def process_event(self, event: Event) -> None:
        if self.request is None:
            self._advance(Stage.ASKED)
        super().process_event(event)

    def _hand_over(self, entry: HttpEntry, data: bytes) -> None:
        """Let requests be answered on this connection, which is no WebSocket."""
        transport, self.transport = self.transport, _NoTransport()
        http = HttpConnection(transport, entry, self.address, self.verified, self._free_place)
        transport.set_protocol(http)
        # For the server of WebSockets this peer is gone.
        self.connection_lost(None)
        http.data_received(data)

    def _free_place(self) -> None:
        if self._place is not None:
            self._listening.places.free(self._place)

    def _take_turn(self) -> None:
        """Go on with what was held back."""
        self._next_turn = None
        self.data_received(b"")
        if not (self._bounded.is_held or self._is_queue_full):
            self.transport.resume_reading()

    def _pause(self) -> None:
        """So many frames wait for the session that no more are taken."""
        self._is_queue_full = True
        self.transport.pause_reading()

    def _resume(self) -> None:
        self._is_queue_full = False
        if not self._bounded.is_held:
            self.transport.resume_reading()
        elif self._next_turn is None:
            self._next_turn = self.loop.call_soon(self._take_turn)

    def _advance(self, stage: Stage) -> None:
        if self._place is not None:
            self._listening.places.advance(self._place, stage)


class _NoTransport(asyncio.Transport):
    """What is left to a connection whose line was handed over."""

    def abort(self) -> None:
        """Nothing is left to end."""
