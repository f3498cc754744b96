"""Listening over TLS, and the sentences that say why that is not possible."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from signals_app.gateway.listener import (
    PATH,
    CannotServe,
    Endpoint,
    open_server,
    serve_metrics,
)
from signals_app.gateway.places import PlaceLimits, Places
from signals_app.gateway.transport import GatewayConnection
from tests.signals_app.gateway.conftest import client_tls


async def greet(connection: GatewayConnection) -> None:
    await connection.send("hello")


@pytest.fixture
def endpoint(certificate: tuple[Path, Path]) -> Endpoint:
    return Endpoint("127.0.0.1", 0, *certificate, reuse_port=False)


def places() -> Places:
    return Places(PlaceLimits(), set())


@asynccontextmanager
async def listening(endpoint: Endpoint) -> AsyncIterator[str]:
    """A server that greets; yields its host and port."""
    server = await open_server(endpoint, places(), greet)
    try:
        yield f"localhost:{next(iter(server.sockets)).getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def test_connections_on_the_path_are_served_and_health_is_answered(
    endpoint: Endpoint,
) -> None:
    trusted = client_tls(endpoint.certificate)
    async with listening(endpoint) as address:
        async with connect(f"wss://{address}{PATH}", ssl=trusted) as peer:
            assert await peer.recv() == "hello"
        async with httpx.AsyncClient(verify=trusted) as client:
            assert (await client.get(f"https://{address}/health")).text == "ok\n"
            assert (await client.get(f"https://{address}/other")).status_code == 404


async def test_files_that_are_not_there_are_named(endpoint: Endpoint, tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    for changed, setting in (
        (replace(endpoint, certificate=missing), "GATEWAY_TLS_CERT"),
        (replace(endpoint, private_key=missing), "GATEWAY_TLS_KEY"),
    ):
        with pytest.raises(CannotServe, match=f"cannot read {setting} .*none.pem: no such file"):
            await open_server(changed, places(), greet)


async def test_a_key_of_another_certificate_is_refused(endpoint: Endpoint, tmp_path: Path) -> None:
    other = tmp_path / "key.pem"
    other.write_text("this is no key")
    with pytest.raises(CannotServe, match="are not a certificate and its key"):
        await open_server(replace(endpoint, private_key=other), places(), greet)


async def test_a_taken_port_is_named(endpoint: Endpoint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = f"cannot listen on 127.0.0.1:{port}: address already in use"
        with pytest.raises(CannotServe, match=sentence):
            await open_server(replace(endpoint, port=port), places(), greet)
        with pytest.raises(CannotServe, match=f"cannot serve metrics on 127.0.0.1:{port}"):
            serve_metrics("127.0.0.1", port)
