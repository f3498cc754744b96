"""A connection whose peer posts instead of opening a WebSocket: requests in, answers out, one after
the other, bounded in size and time.
"""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import h11

from mt5_bridge.protocol.wire import MAX_MESSAGE_BYTES
from signals_app.gateway.http_entry import PATH, HttpEntry
from signals_app.gateway.http_messages import PostRefused
from signals_app.gateway.tokens import Claims

log = logging.getLogger(__name__)

_MAX_REQUEST_BYTES: Final = 16 << 10
# Seconds: for a request's headers, for its body once its token is good, and between two requests.
_HEADERS_TIMEOUT: Final = 4.0
_BODY_TIMEOUT: Final = 20.0
_IDLE_TIMEOUT: Final = 75.0
_MOST_CONNECTIONS: Final = 200


class HttpConnection(asyncio.Protocol):
    """Takes over a connection on which a POST came.

    ``verified`` and ``let_in`` are called when its token is good, and its connector let in.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        entry: HttpEntry,
        address: str | None,
        verified: Callable[[], None],
        let_in: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._entry = entry
        self._address = address
        self._verified, self._let_in = verified, let_in
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_REQUEST_BYTES)
        self._loop = asyncio.get_running_loop()
        self._claims: Claims | None = None
        self._token = ""
        self._body = bytearray()
        self._answering: asyncio.Task[None] | None = None
        self._is_waiting_for_next = False
        self._deadline = self._loop.call_later(_HEADERS_TIMEOUT, transport.abort)
        entry.connections += 1

    def data_received(self, data: bytes) -> None:
        """Read on; what comes behind a whole request waits until that is answered."""
        if self._is_waiting_for_next:
            self._is_waiting_for_next = False
            self._set_deadline(_HEADERS_TIMEOUT)
        if not self._transport.is_closing():
            self._advance(data)

    def _advance(self, data: bytes = b"") -> None:
        try:
            if data:
                self._http.receive_data(data)
            self._read()
        except h11.RemoteProtocolError as error:
            status = HTTPStatus(error.error_status_hint)
            self._refuse(PostRefused(status, "BAD_MESSAGE", f"this is no HTTP request: {error}"))
        except PostRefused as refusal:
            self._refuse(refusal)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget the request; what was heard of it is followed."""
        self._deadline.cancel()
        self._entry.connections -= 1

    def _read(self) -> None:
        while self._answering is None:
            match self._http.next_event():
                case h11.Request() as request:
                    self._begin(request)
                case h11.Data() as data:
                    self._body += data.data
                case h11.EndOfMessage():
                    assert self._claims is not None
                    self._deadline.cancel()
                    self._transport.pause_reading()
                    self._answering = asyncio.create_task(self._answer(self._claims))
                case h11.ConnectionClosed():
                    self._transport.close()
                    return
                case _:
                    return

    def _begin(self, request: h11.Request) -> None:
        """Look at the head of a request, before its body is read; raises `PostRefused`."""
        headers = {name.lower(): value for name, value in request.headers}
        if request.target.partition(b"?")[0] != PATH.encode():
            text = f"ticks are posted to {PATH}"
            raise PostRefused(HTTPStatus.NOT_FOUND, "NOT_FOUND", text)
        if request.method != b"POST":
            text = "only POST is served here"
            raise PostRefused(HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", text)
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind.lower() != "bearer":
            text = "the header Authorization: Bearer TOKEN is missing"
            raise PostRefused(HTTPStatus.UNAUTHORIZED, "AUTH_FAILED", text)
        self._token = token.strip()
        self._claims = self._entry.admit(self._token)
        if self._entry.connections > _MOST_CONNECTIONS:
            text = "no place is free"
            raise PostRefused(HTTPStatus.TOO_MANY_REQUESTS, "TOO_MANY_CONNECTIONS", text)
        length = headers.get(b"content-length", b"")
        if not length:
            text = "the header Content-Length is missing"
            raise PostRefused(HTTPStatus.LENGTH_REQUIRED, "BAD_MESSAGE", text)
        if int(length) > MAX_MESSAGE_BYTES:
            text = f"the body is longer than {MAX_MESSAGE_BYTES} bytes"
            raise PostRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "BAD_MESSAGE", text)
        self._verified()
        self._body.clear()
        self._set_deadline(_BODY_TIMEOUT)
        if self._http.they_are_waiting_for_100_continue:
            self._send(h11.InformationalResponse(status_code=100, headers=[]))

    async def _answer(self, claims: Claims) -> None:
        try:
            body = await self._entry.answer(
                claims, self._token, bytes(self._body), self._address, self._let_in
            )
            self._respond(HTTPStatus.OK, body)
        except PostRefused as refusal:
            self._respond(refusal.status, refusal.body())
        except Exception:
            log.exception("a request of %r could not be followed", claims.connector)
            text = "something went wrong; the server's log says what"
            failure = PostRefused(HTTPStatus.INTERNAL_SERVER_ERROR, "ERROR", text)
            self._respond(failure.status, failure.body())
        self._next()

    def _next(self) -> None:
        """Take the next request of the connection, if it may bring one."""
        self._answering = None
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            self._transport.close()
            return
        self._http.start_next_cycle()
        self._set_deadline(_IDLE_TIMEOUT)
        self._is_waiting_for_next = True
        self._transport.resume_reading()
        self._advance()

    def _refuse(self, refusal: PostRefused) -> None:
        """Answer a request that is not read to its end, and close."""
        self._respond(refusal.status, refusal.body(), ("Connection", "close"))
        self._transport.close()

    def _respond(self, status: HTTPStatus, body: bytes, *more: tuple[str, str]) -> None:
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *more,
        ]
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            headers.append(("Retry-After", "5"))
        self._send(h11.Response(status_code=status, headers=headers, reason=status.phrase.encode()))
        self._send(h11.Data(data=body))
        self._send(h11.EndOfMessage())

    def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _set_deadline(self, seconds: float) -> None:
        self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, self._transport.abort)
