"""The WebSocket protocol, bounded: what a peer sends is counted before it is parsed, and is parsed
a turn at a time.

A message over the limit is skipped as it streams in, so that the conversation can go on.
"""

import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any, Final

from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.protocol import CONNECTING
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from mt5_bridge.protocol.wire import MAX_MESSAGE_BYTES, CloseCode
from signals_app.gateway.allowance import Allowance, ConnectorAllowance, StrangerAllowance

_MAX_REQUEST_BYTES: Final = 16 << 10
_MAX_FRAGMENTS: Final = 2_000
_FRAGMENT_WEIGHT: Final = 7
_NO_LIMIT: Final = 1 << 62
# No JSON ends so.
_CUT: Final = b"\0"
_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class BoundedProtocol(ServerProtocol):
    """Reads through a `BoundedReader`; of a message in too many fragments keeps only the first."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_size=None, **options)
        self.reader = self._reader = BoundedReader()
        self.allow(StrangerAllowance())
        # The parser that was started before holds on to the reader it found.
        self.parser = self.parse()
        next(self.parser)
        self._size = self._fragments = 0
        self._is_cut = self._is_refused = False

    def allow(self, allowance: Allowance) -> None:
        """Let the peer send so much from now on."""
        self._allowance = allowance
        longest = allowance.longest_message
        self._reader.longest = self._longest = MAX_MESSAGE_BYTES if longest is None else longest
        self._reader.skips = longest is None

    def let_in(self) -> None:
        """Allow what a connector may send, and messages of full size."""
        self.allow(ConnectorAllowance(_now_ms()))

    @property
    def is_held(self) -> bool:
        """Whether frames are left that have to wait for the next turn."""
        return self._reader.is_held

    def receive_data(self, data: bytes | bytearray) -> None:
        """Parse as much as may be parsed in one turn; the rest waits for another call."""
        allowance, reader = self._allowance, self._reader
        if self._is_refused or reader.eof:
            return
        now_ms = _now_ms()
        if allowance.is_exceeded(len(data), now_ms):
            if self.state is CONNECTING:
                # So much of a request is answered with a sentence.
                super().receive_data(data[: _MAX_REQUEST_BYTES + 1])
            if not self.eof_sent:
                self._refuse("too many bytes")
            return
        reader.frames_left = given = allowance.frames()
        reader.is_held = False
        super().receive_data(data)
        if allowance.is_spent(given - reader.frames_left, now_ms) and reader.buffer:
            self._refuse("too many frames")

    def receive_eof(self) -> None:
        """Read no more; what waited for another turn goes too, and was never acknowledged."""
        if self._reader.is_held:
            self._reader.discard()
        super().receive_eof()

    def recv_frame(self, frame: Frame) -> None:
        """Take a frame, or what is kept of one."""
        if frame.opcode not in _DATA:
            if self._allowance.is_control_exceeded(_now_ms()):
                raise TooMuchSent("too many control frames")
            super().recv_frame(frame)
            return
        is_alone = frame.fin and frame.opcode is not Opcode.CONT and self.current_size is None
        if is_alone and not self._reader.has_skipped and len(frame.data) <= self._longest:
            # Nearly all frames are whole messages: they go the short way.
            super().recv_frame(frame)
            return
        if frame.opcode is not Opcode.CONT and self.current_size is None:
            self._size, self._fragments, self._is_cut = 0, 0, False
        self._size += len(frame.data)
        if self._reader.skips:
            # Of a connector's turn a fragment takes more than a message does.
            self._reader.frames_left = max(0, self._reader.frames_left - _FRAGMENT_WEIGHT)
        # An empty fragment holds memory too.
        self._fragments += 1
        if self._size > self._longest or self._fragments > _MAX_FRAGMENTS:
            if not self._reader.skips:
                raise TooMuchSent("message too long")
            self._is_cut = True
        self._is_cut |= self._reader.has_skipped
        self._reader.has_skipped = False
        if not self._is_cut:
            super().recv_frame(frame)
        elif frame.fin or frame.opcode is not Opcode.CONT:
            super().recv_frame(replace(frame, data=_CUT if frame.fin else b""))

    def fail(self, code: int, reason: str = "") -> None:
        """End the connection; what else comes is not looked at."""
        # Within the parser every error of the protocol looks alike.
        if reason.startswith(TooMuchSent.MARK):
            code = CloseCode.LIMITED
        self._is_refused = True
        self._reader.lift_limits()
        super().fail(code, reason)

    def _refuse(self, reason: str) -> None:
        self._reader.discard()
        self.fail(CloseCode.LIMITED, str(TooMuchSent(reason)))


class TooMuchSent(ProtocolError):  # noqa: N818 - it says what happened
    """A peer sent more than it may."""

    MARK: Final = "RATE_LIMITED: "

    def __init__(self, what: str) -> None:
        super().__init__(f"{self.MARK}{what}")


class BoundedReader(StreamReader):
    """Gives a turn's worth of frames. Skips what is longer than the limit, gives back nothing in
    its place, and says so; where it may not skip, that ends the connection.
    """

    def __init__(self) -> None:
        super().__init__()
        self.frames_left = 0
        self.longest = 0
        self.skips = False
        self.is_held = False
        self.has_skipped = False
        self._request_left = _MAX_REQUEST_BYTES

    def lift_limits(self) -> None:
        """Hold nothing back any more: all of it is discarded."""
        self.frames_left = self.longest = _NO_LIMIT
        self.is_held = False

    def at_eof(self) -> Generator[None, None, bool]:
        """Whether all is read; the parser asks before each frame, and waits here for its turn."""
        while True:
            if self.buffer:
                if self.frames_left:
                    self.frames_left -= 1
                    return False
                self.is_held = True
            elif self.eof:
                return True
            yield

    def read_line(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read a line of the request that opens the connection, which keeps it for ever."""
        line = yield from super().read_line(min(m, self._request_left), too_long_exc_type)
        self._request_left -= len(line)
        return line

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        """Read so many bytes, or skip them."""
        if n > self.longest:
            return (yield from self._skip(n))
        buffer = self.buffer
        while len(buffer) < n:
            if self.eof:
                raise EOFError(f"stream ends after {len(buffer)} bytes, expected {n} bytes")
            yield
        taken = buffer[:n]
        del buffer[:n]
        return taken

    def _skip(self, n: int) -> Generator[None, None, bytearray]:
        if not self.skips:
            raise TooMuchSent("message too long")
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


def is_cut(message: str | bytes) -> bool:
    """Whether this is what was kept of a message that was too long."""
    return isinstance(message, str) and message.endswith("\0")


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
