"""WebSocket connections that cannot be made to hold much: what peers send is bounded before it is
kept, and what they do not read is bounded too.

A message over the limit is skipped as it streams in, so that the conversation can go on.
"""

import socket
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from mt5_bridge.protocol.wire import MAX_MESSAGE_BYTES
from signals_app.gateway.limits import MAX_UNAUTHENTICATED_BYTES

_MAX_UNSENT_BYTES: Final = 1 << 20
_MAX_REQUEST_BYTES: Final = 16 << 10
_MAX_FRAGMENTS: Final = 2_000
# No JSON ends so.
_CUT: Final = b"\0"
_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class GatewayConnection(ServerConnection):
    """A connection whose peer may send short messages until `let_in` is called."""

    def __init__(self, protocol: ServerProtocol, server: Server, **options: Any) -> None:
        self._limit = MAX_UNAUTHENTICATED_BYTES
        bounded = BoundedProtocol(self._current_limit, logger=protocol.logger)
        super().__init__(bounded, server, **options)

    def let_in(self) -> None:
        """Allow messages of full size from now on."""
        self._limit = MAX_MESSAGE_BYTES

    def data_received(self, data: bytes) -> None:
        """Read; but drop a peer that makes us answer and never reads the answers."""
        super().data_received(data)
        if self.transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            self.transport.abort()

    def _current_limit(self) -> int:
        return self._limit


class _BoundedReader(StreamReader):
    """Skips what is longer than the limit, gives back nothing in its place, and says so."""

    def __init__(self, limit: Callable[[], int]) -> None:
        super().__init__()
        self.has_skipped = False
        self._limit = limit
        self._request_left = _MAX_REQUEST_BYTES

    def read_line(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        # Lines are read only of the request that opens the connection, which keeps it for ever.
        line = yield from super().read_line(min(m, self._request_left), too_long_exc_type)
        self._request_left -= len(line)
        return line

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        if n <= self._limit():
            return (yield from super().read_exact(n))
        while n:
            while not self.buffer:
                if self.eof:
                    raise EOFError(f"stream ends {n} bytes early")
                yield
            taken = min(len(self.buffer), n)
            del self.buffer[:taken]
            n -= taken
        self.has_skipped = True
        return bytearray()


class BoundedProtocol(ServerProtocol):
    """Reads through a `_BoundedReader`; of a message in too many fragments keeps only the first."""

    def __init__(self, limit: Callable[[], int], **options: Any) -> None:
        super().__init__(max_size=None, **options)
        self._limit = limit
        self.reader = self._bounded = _BoundedReader(limit)
        # The parser that was started before holds on to the reader it found.
        self.parser = self.parse()
        next(self.parser)
        self._size = self._fragments = 0
        self._is_cut = False

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode not in _DATA:
            super().recv_frame(frame)
            return
        if frame.opcode is not Opcode.CONT and self.current_size is None:
            self._size, self._fragments, self._is_cut = 0, 0, False
        self._size += len(frame.data)
        # An empty fragment holds memory too.
        self._fragments += 1
        if self._size > self._limit() or self._fragments > _MAX_FRAGMENTS:
            self._is_cut = True
        self._is_cut |= self._bounded.has_skipped
        self._bounded.has_skipped = False
        if not self._is_cut:
            super().recv_frame(frame)
        elif frame.fin or frame.opcode is not Opcode.CONT:
            super().recv_frame(replace(frame, data=_CUT if frame.fin else b""))


def is_cut(message: str | bytes) -> bool:
    """Whether this is what was kept of a message that was too long."""
    return isinstance(message, str) and message.endswith("\0")


def listen(host: str, port: int, *, reuse_port: bool, at_most: int) -> socket.socket:
    """A socket that listens and keeps at most so many accepted ones; raises `OSError`.

    Those count from the first moment: a peer that never begins with TLS holds memory too. One that
    is too many is closed at once, unheard.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # Of a name's addresses the older kind, which every peer can reach.
    family, kind, number, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    listening = _ListeningSocket(family, kind, number)
    try:
        listening.at_most = at_most
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(address)
        listening.listen(100)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


class _ListeningSocket(socket.socket):
    at_most: int
    accepted: int = 0

    def accept(self) -> tuple[socket.socket, Any]:
        plain, address = super().accept()
        if self.accepted >= self.at_most:
            plain.close()
            raise ConnectionAbortedError("no place is free")
        counted = _AcceptedSocket(plain.family, plain.type, plain.proto, plain.detach())
        counted.listening = self
        self.accepted += 1
        return counted, address


class _AcceptedSocket(socket.socket):
    """Frees its place when it is closed."""

    listening: _ListeningSocket | None = None

    def close(self) -> None:
        super().close()
        if self.listening is not None:
            self.listening.accepted -= 1
            self.listening = None
