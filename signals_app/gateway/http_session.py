"""A connector's conversation over requests: what it posts goes in as frames of a connection would,
and what the server says waits for the next answer.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any, Final

import msgspec
from websockets.exceptions import ConnectionClosedOK

from mt5_bridge.protocol import wire
from signals_app.gateway.availability import StreamUnavailable
from signals_app.gateway.clock import wall_ms
from signals_app.gateway.http_messages import Post, PostAnswer, PostRefused
from signals_app.gateway.limits import RateLimit
from signals_app.gateway.session import ConnectorSession, Services

# What is said besides how things stand, which every answer says anew.
_TOLD: Final = frozenset({"error", "history_ack"})
_MOST_TOLD: Final = 200
#: A store that does not answer in this time is away.
_PATIENCE: Final = 10.0
_REQUESTS_PER_SECOND: Final = 20.0


class HttpSocket:
    """Stands in for a WebSocket connection; the peer's frames come from its requests."""

    def __init__(self, address: str | None, let_in: Callable[[], None]) -> None:
        self.address = address
        self.told: deque[str] = deque(maxlen=_MOST_TOLD)
        self.closed: tuple[int, str] | None = None
        self._let_in = let_in
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self.is_idle = asyncio.Event()

    @property
    def transport(self) -> "HttpSocket":
        """Itself, which can be aborted."""
        return self

    def put(self, frames: Sequence[str]) -> None:
        """Let the session hear these frames."""
        for frame in frames:
            self.is_idle.clear()
            self._frames.put_nowait(frame)

    def abort(self) -> None:
        """End the conversation."""
        self._frames.put_nowait(None)

    def verified(self) -> None:
        """Nothing follows: the token was verified before the request was read."""

    def let_in(self) -> None:
        """The connector is let in."""
        self._let_in()

    async def recv(self) -> str:
        """The next frame; raises `ConnectionClosed` behind the last."""
        if self._frames.empty():
            self.is_idle.set()
        frame = await self._frames.get()
        if frame is None:
            self.is_idle.set()
            raise ConnectionClosedOK(None, None)
        return frame

    async def send(self, message: str) -> None:
        """Keep a message for the next answer."""
        if _kind(message) in _TOLD:
            self.told.append(message)

    async def close(self, code: int, reason: str) -> None:
        """End the conversation; the next answer says why."""
        self.closed = (code, reason)
        self.abort()


class HttpSession:
    """One connector's requests, one after the other."""

    def __init__(self, services: Services, socket: HttpSocket, session: ConnectorSession) -> None:
        self.id = token_urlsafe(16)
        self._services = services
        self._socket = socket
        self.connector_session = self._session = session
        self._token = ""
        self._lock = asyncio.Lock()
        self._rate = RateLimit(_REQUESTS_PER_SECOND, wall_ms())

    @property
    def name(self) -> str:
        """The connector's name, empty before it is let in."""
        return self._session.name

    async def begin(self, token: str, post: Post) -> PostAnswer:
        """Let the connector in; raises `PostRefused`."""
        if not post.symbols or post.messages:
            text = "a session begins with the symbols that it is for, and without messages"
            raise PostRefused(HTTPStatus.BAD_REQUEST, "BAD_MESSAGE", text)
        async with self._lock:
            await self._hear([self._auth(token, post.symbols, post.spool)])
            if self.name:
                return await self._answer()
            said = [wire.decode_from_server(message) for message in self._socket.told]
            text = "; ".join(each.message for each in said if isinstance(each, wire.Error))
            raise PostRefused(HTTPStatus.FORBIDDEN, "FORBIDDEN_SYMBOL", text)

    async def follow(self, token: str, post: Post) -> PostAnswer:
        """Follow the messages of a request; raises `PostRefused`."""
        if self._rate.is_exceeded(wall_ms()):
            self.end()
            text = "too many requests"
            raise PostRefused(HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMITED", text)
        async with self._lock:
            frames = [bytes(message).decode() for message in post.messages]
            if token != self._token:
                symbols = post.symbols or sorted(self._session.symbols)
                frames.insert(0, self._auth(token, symbols, self._session.connection.spool))
            await self._hear(frames)
            answer = await self._answer()
        if post.close:
            self.end()
        return answer

    def end(self) -> None:
        """End the session; its leases run out."""
        self._socket.abort()

    async def _hear(self, frames: Sequence[str]) -> None:
        """Let the session follow these frames, and wait until what they bring is stored."""
        try:
            async with asyncio.timeout(_PATIENCE):
                # After an answer that was given up there may be work left.
                await self._settled()
                if self._socket.closed is None:
                    self._socket.put(frames)
                    await self._settled()
        except TimeoutError:
            text = "a store does not answer: send this again"
            raise PostRefused(HTTPStatus.SERVICE_UNAVAILABLE, "TRY_AGAIN_LATER", text) from None
        if self._socket.closed is not None:
            raise PostRefused.closed(*self._socket.closed)

    async def _settled(self) -> None:
        ended = asyncio.create_task(self._session.ended.wait())
        idle = asyncio.create_task(self._socket.is_idle.wait())
        try:
            await asyncio.wait((idle, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            idle.cancel()
            ended.cancel()
        await self._session.settled()

    async def _answer(self) -> PostAnswer:
        roles = dict(self._session.connection.roles.by_symbol)
        try:
            states = {each: await self._services.append_log.state(each) for each in roles}
        except StreamUnavailable as error:
            text = "Redis does not answer: send this again"
            raise PostRefused(HTTPStatus.SERVICE_UNAVAILABLE, "TRY_AGAIN_LATER", text) from error
        told = [msgspec.Raw(message.encode()) for message in self._socket.told]
        self._socket.told.clear()
        interval_ms = self._session.connection.limits.heartbeat_interval_ms
        return PostAnswer(
            session=self.id,
            connector=self.name,
            role=roles,
            resume={
                symbol: wire.Resume(
                    seq=state.seq(self.name), time=state.time_ms if state.ordinal else None
                )
                for symbol, state in states.items()
            },
            heartbeat_interval=interval_ms / 1000,
            messages=told,
        )

    def _auth(self, token: str, symbols: Sequence[str], spool: str | None) -> str:
        self._token = token
        return wire.encode(wire.Auth(token=token, symbols=list(symbols), spool=spool or None))


def _kind(message: str) -> Any:
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(message).get("type")
    return None
