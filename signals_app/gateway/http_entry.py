"""The gateway's entry for connectors that can only post: an Expert Advisor in the terminal itself.

Its sessions are those of WebSocket connections in all that counts: leases, numbers, limits.
"""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from signals_app.gateway import http_messages
from signals_app.gateway.background import BackgroundTasks
from signals_app.gateway.http_messages import PostRefused
from signals_app.gateway.http_session import HttpSession, HttpSocket
from signals_app.gateway.session import ConnectorSession, Services
from signals_app.gateway.supervision import SessionSupervisor
from signals_app.gateway.tokens import Claims, TokenRefused

PATH: Final = "/http/v1/ticks"


class HttpEntry:
    """The sessions of connectors that post. ``make`` makes one's session on its socket.

    `connections` counts the open ones that requests come by.
    """

    def __init__(
        self,
        services: Services,
        sessions: SessionSupervisor,
        tasks: BackgroundTasks,
        verify: Callable[[str, float], Claims],
        make: Callable[[HttpSocket], ConnectorSession],
        has_room: Callable[[], bool],
    ) -> None:
        self._services = services
        self._supervisor = sessions
        self._tasks = tasks
        self._verify = verify
        self._make = make
        self._has_room = has_room
        self._sessions: dict[str, HttpSession] = {}
        self.connections = 0

    def admit(self, token: str) -> Claims:
        """Who posts, before its request is read; raises `PostRefused`."""
        try:
            return self._verify(token, time.time())
        except TokenRefused as refused:
            raise PostRefused(HTTPStatus.UNAUTHORIZED, "AUTH_FAILED", str(refused)) from None

    async def answer(
        self,
        claims: Claims,
        token: str,
        body: bytes,
        address: str | None,
        let_in: Callable[[], None],
    ) -> bytes:
        """Follow a request; returns the answer, raises `PostRefused`.

        ``let_in`` is called when the connector is let in, ``address`` is where it posts from.
        """
        post = http_messages.read(body)
        if post.session is not None:
            known = self._sessions.get(post.session)
            if known is None or known.name != claims.connector:
                text = "there is no such session: begin one without `session`"
                raise PostRefused(HTTPStatus.GONE, "SESSION_ENDED", text)
            let_in()
            return http_messages.write(await known.follow(token, post))
        if not self._has_room():
            text = "no place is free"
            raise PostRefused(HTTPStatus.TOO_MANY_REQUESTS, "TOO_MANY_CONNECTIONS", text)
        socket = HttpSocket(address, let_in)
        session = HttpSession(self._services, socket, self._make(socket))
        self._tasks.start(self._serve(session, session.connector_session))
        try:
            answer = await session.begin(token, post)
        except (PostRefused, asyncio.CancelledError):
            session.end()
            raise
        self._sessions[session.id] = session
        return http_messages.write(answer)

    async def _serve(self, session: HttpSession, served: ConnectorSession) -> None:
        try:
            await self._supervisor.serve(served)
        finally:
            self._sessions.pop(session.id, None)
