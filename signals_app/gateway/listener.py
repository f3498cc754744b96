"""Listens for connectors over TLS, and serves metrics; says in one sentence why it cannot."""

import logging
import os
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final, cast

from prometheus_client import start_http_server
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from signals_app.gateway import metrics
from signals_app.gateway.http_entry import HttpEntry
from signals_app.gateway.listening_socket import listen
from signals_app.gateway.places import Places
from signals_app.gateway.transport import GatewayConnection
from signals_app.networks import Network

PATH: Final = "/ws/v1/ticks"
HEALTH_PATH: Final = "/health"

#: Seconds for each of the two steps to an open connection: TLS, and the request.
_OPENING_TIMEOUT: Final = 4.0
_CLOSING_TIMEOUT: Final = 3.0


class CannotServe(Exception):  # noqa: N818 - a refusal with its reason
    """The gateway cannot start; the text is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen, for whom, and with which certificate (PEM files).

    Without `networks` every address may connect.
    """

    host: str
    port: int
    certificate: Path
    private_key: Path
    reuse_port: bool
    networks: Sequence[Network] = ()


async def open_server(
    endpoint: Endpoint,
    places: Places,
    serve_one: Callable[[GatewayConnection], Awaitable[None]],
    entry: HttpEntry | None = None,
) -> Server:
    """Listen, serve every WebSocket connection, and let ``entry`` answer what is posted.

    Raises `CannotServe`.
    """
    tls = _tls(endpoint.certificate, endpoint.private_key)
    # Two lines for each connection would let strangers fill the log.
    logger = logging.getLogger("signals_app.gateway.websockets")
    logger.setLevel(logging.WARNING)
    host, port = endpoint.host, endpoint.port
    try:
        listening = listen(
            host,
            port,
            reuse_port=endpoint.reuse_port,
            places=places,
            networks=endpoint.networks,
        )
    except OSError as error:
        raise CannotServe(f"cannot listen on {host}:{port}: {_why(error)}") from error

    async def serve_connection(socket: ServerConnection) -> None:
        assert isinstance(socket, GatewayConnection)
        await serve_one(socket)

    return await serve(
        serve_connection,
        sock=listening,
        ssl=tls,
        compression=None,
        # Bounded by our own reader, which can skip a long message and go on.
        max_size=None,
        max_queue=16,
        # A slow store stops our reading, and with it the answers to pings: silence is measured by
        # messages instead.
        ping_interval=None,
        open_timeout=_OPENING_TIMEOUT,
        close_timeout=5,
        ssl_shutdown_timeout=_CLOSING_TIMEOUT,
        process_request=_route,
        server_header=None,
        create_connection=cast(
            "type[ServerConnection]", partial(GatewayConnection, listening=listening, entry=entry)
        ),
        logger=logger,
    )


def serve_metrics(host: str, port: int) -> None:
    """Serve the gateway's metrics for Prometheus; raises `CannotServe`."""
    try:
        start_http_server(port, addr=host, registry=metrics.REGISTRY)
    except OSError as error:
        raise CannotServe(f"cannot serve metrics on {host}:{port}: {_why(error)}") from error


def _route(connection: ServerConnection, request: Request) -> Response | None:
    """Answer what is no WebSocket request for ticks."""
    path = request.path.partition("?")[0]
    if path == HEALTH_PATH:
        return connection.respond(HTTPStatus.OK, "ok\n")
    if path != PATH:
        return connection.respond(HTTPStatus.NOT_FOUND, f"ticks are taken at {PATH}\n")
    return None


def _tls(certificate: Path, private_key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A handshake is dear, and one is enough.
    context.options |= ssl.OP_NO_RENEGOTIATION
    for name, path in (("GATEWAY_TLS_CERT", certificate), ("GATEWAY_TLS_KEY", private_key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise CannotServe(f"cannot read {name} {path}: {_why(error)}") from error
    try:
        context.load_cert_chain(certificate, private_key)
    except ssl.SSLError as error:
        raise CannotServe(
            f"{certificate} and {private_key} are not a certificate and its key: "
            f"{error.reason or error}"
        ) from error
    return context


def _why(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
