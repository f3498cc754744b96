"""Connections that take what comes a turn at a time, and what their peers do not read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from signals_app.gateway.allowance import FRAMES_A_TURN
from signals_app.gateway.listener import PATH, Endpoint, open_server
from signals_app.gateway.places import PlaceLimits, Places
from signals_app.gateway.transport import GatewayConnection
from tests.signals_app.gateway.conftest import client_tls

FRAMES = 10 * FRAMES_A_TURN


class Server:
    """Hears so many messages of one peer, and answers with them."""

    def __init__(self, certificate: tuple[Path, Path], *, lets_in: bool) -> None:
        self.endpoint = Endpoint("127.0.0.1", 0, *certificate, reuse_port=False)
        self.places = Places(PlaceLimits(), set())
        self.lets_in = lets_in
        self.taken: list[int] = []

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[ClientConnection]:
        server = await open_server(self.endpoint, self.places, self.serve)
        port = next(iter(server.sockets)).getsockname()[1]
        trusted = client_tls(self.endpoint.certificate)
        try:
            uri = f"wss://localhost:{port}{PATH}"
            async with connect(uri, ssl=trusted, compression=None) as peer:
                yield peer
        finally:
            server.close()
            await server.wait_closed()

    async def serve(self, connection: GatewayConnection) -> None:
        self.taken.append(self.places.taken)
        connection.verified()
        if self.lets_in:
            connection.let_in()
        self.taken.append(self.places.taken)
        assert connection.address == "127.0.0.1"
        await connection.send("ready")
        heard = [await connection.recv() for _ in range(FRAMES)]
        await connection.send(" ".join(map(str, heard)))


async def test_frames_that_come_at_once_are_all_heard_in_their_order(
    certificate: tuple[Path, Path],
) -> None:
    server = Server(certificate, lets_in=True)
    async with server.connected() as peer:
        await peer.recv()
        for n in range(FRAMES):
            peer.protocol.send_text(b"%d" % n)
        peer.transport.write(b"".join(peer.protocol.data_to_send()))
        assert await peer.recv() == " ".join(map(str, range(FRAMES)))
    assert server.taken == [1, 0]


async def test_a_stranger_that_sends_too_much_is_closed(certificate: tuple[Path, Path]) -> None:
    server = Server(certificate, lets_in=False)
    async with server.connected() as peer:
        await peer.recv()
        for _ in range(FRAMES_A_TURN):
            peer.protocol.send_ping(b"")
        peer.transport.write(b"".join(peer.protocol.data_to_send()))
        with pytest.raises(ConnectionClosed) as closed:
            await peer.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
        4429,
        "RATE_LIMITED: too many frames",
    )
    assert server.taken == [1, 1]
