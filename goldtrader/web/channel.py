"""One connection to the web server: how long it may take, and how it is refused."""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from time import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from goldtrader.access.addresses import network_of_text
from goldtrader.refusals import API_PATH, body
from signals_app.networks import Network

#: How long, and how much at a time, a refused body is read and forgotten, so that its sender, which
#: sends before it reads, comes to see the refusal.
_DISCARD_SECONDS = 5.0
_DISCARD_BYTES = 65_536
_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_CODES = {400: "invalid", 413: "too_large", 431: "too_large", 501: "invalid"}
_SENTENCES = {
    413: "The request's body is too large.",
    431: "The request's headers are too large.",
    501: "The body's transfer encoding is not one of ours.",
}


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds: until a request's headers are here, until its body is, and between two requests."""

    headers: float
    body: float
    idle: float


class UnreadableRequest(ErrorTask):  # type: ignore[misc]
    """The answer to a request that could not be read: JSON below /api/, else text."""

    def execute(self) -> None:
        """Write the answer; the connection ends with it."""
        error = self.request.error
        sentence = _SENTENCES.get(error.code, f"The request is not HTTP: {error.body}.")
        path, kind = str(getattr(self.request, "path", "")), "text/plain; charset=utf-8"
        text = f"{sentence}\n"
        if path.startswith(API_PATH):
            kind = "application/json"
            text = json.dumps(body(_CODES.get(error.code, "server_error"), sentence))
        content = text.encode()
        self.status = f"{error.code} {HTTPStatus(error.code).phrase}"
        self.response_headers.append(("Content-Type", kind))
        self.set_close_on_finish()
        self.channel.discards_rest = error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        self.content_length = len(content)
        self.write(content)


class BoundedChannel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows since when its request is overdue."""

    error_task_class = UnreadableRequest
    #: Whether what still arrives behind a refusal is read and forgotten before the connection ends.
    discards_rest = False
    will_close: bool
    creation_time: float
    _discards_until: float | None = None
    _partial: Any = None

    def __init__(self, server: Any, sock: socket.socket, addr: Any, adj: Any, map: Any) -> None:  # noqa: A002
        super().__init__(server, sock, addr, adj, map=map)
        self.network: Network | None = network_of_text(str(addr[0]))
        #: When it began to wait for the caller: with the connection, the last answer, or the first
        #: byte of the request that is not complete.
        self.waits_since: float = self.creation_time

    @property
    def is_busy(self) -> bool:
        """Whether a request of it is answered."""
        return bool(self.requests or self.total_outbufs_len)

    def is_overdue(self, now: float, deadlines: Deadlines) -> bool:
        """Whether the caller has taken too long for what it is at."""
        if self._discards_until is not None:
            return now > self._discards_until
        if self.requests:
            return False
        last_heard = float(self.last_activity)
        if self.total_outbufs_len:
            # The caller does not read its answer.
            return now - last_heard > deadlines.body
        if self.request is not None:
            has_headers = self.request.headers_finished
            return now - self.waits_since > (deadlines.body if has_headers else deadlines.headers)
        is_new = last_heard <= self.creation_time
        return now - last_heard > (deadlines.headers if is_new else deadlines.idle)

    def end_overdue(self) -> None:
        """Close the connection, with a 408 where a part of a request came."""
        if self.request is not None and not self.is_busy:
            with suppress(OSError):
                self.socket.send(_TIMEOUT)
        self.cut()

    def cut(self) -> None:
        """Close the connection at the next look at it."""
        self.discards_rest = False
        self.will_close = True

    def received(self, data: bytes) -> Any:
        """Take what came, and note when a new request began."""
        if self._discards_until is not None:
            return False
        taken = super().received(data)
        if self.request is not self._partial:
            self._partial = self.request
            self.waits_since = time()
        return taken

    def readable(self) -> bool:
        """Whether anything that arrives is to be read."""
        if self._discards_until is not None:
            return not self.will_close
        is_readable: bool = super().readable()
        return is_readable

    def writable(self) -> bool:
        """Whether there is something to send, or the connection is to be closed."""
        if self._discards_until is not None:
            return self.will_close
        return bool(super().writable())

    def handle_read(self) -> None:
        """Read what arrived; behind a refusal, forget it."""
        if self._discards_until is None:
            super().handle_read()
            return
        with suppress(OSError):
            # It closes the connection where the caller has ended it.
            self.recv(_DISCARD_BYTES)

    def handle_close(self) -> None:
        """Close; behind a refusal, only the half on which we send, for a moment."""
        if self.discards_rest and self.connected:
            self.discards_rest = self.will_close = self.close_when_flushed = False
            self._discards_until = time() + _DISCARD_SECONDS
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
                return
        super().handle_close()
