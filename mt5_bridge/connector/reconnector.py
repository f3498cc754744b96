"""Connects to the server, and again after every break, for as long as it takes."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from mt5_bridge.connector.backoff import Backoff
from mt5_bridge.connector.credentials import (
    CredentialsError,
    TokenUnavailableError,
    is_loopback,
)
from mt5_bridge.connector.progress import Progress
from mt5_bridge.connector.sender import Stalled
from mt5_bridge.connector.spool_file import SpoolError
from mt5_bridge.protocol.wire import MAX_MESSAGE_BYTES

Serve: TypeAlias = Callable[[ClientConnection], Awaitable[None]]


class Reconnector:
    """Keeps one connection to the server open, with growing pauses between attempts."""

    def __init__(
        self,
        url: str,
        trust: ssl.SSLContext | None,
        progress: Progress,
        backoff: Backoff,
        *,
        ends_on_error: bool,
    ) -> None:
        """``trust`` None is for an address without TLS."""
        self._url = url
        self._trust = trust
        self._progress = progress
        self._backoff = backoff
        self._ends_on_error = ends_on_error

    async def run(self, prepare: Callable[[], Awaitable[None]], serve: Serve) -> None:
        """Call ``prepare`` before each attempt and ``serve`` with each open connection.

        Raises `CredentialsError` and `SpoolError` only where the connector is to end: otherwise a
        key may be mended, and a disk freed, while it goes on trying.
        """
        while True:
            try:
                await prepare()
                async with self._connect() as socket:
                    await serve(socket)
            except TokenUnavailableError as error:
                self._progress.failed(f"no token: {error}")
            except (CredentialsError, SpoolError) as error:
                if self._ends_on_error:
                    raise
                self._progress.failed(str(error))
            except ssl.SSLCertVerificationError as error:
                sentence = (
                    f"the certificate of {self._url} is not trusted "
                    f"({error.verify_message}); check --cafile"
                )
                if self._ends_on_error:
                    raise CredentialsError(sentence) from None
                self._progress.failed(sentence)
            except (OSError, WebSocketException, Stalled, TimeoutError) as error:
                sentence = f"the line to {self._url} is down: {_reason(error)}"
                self._progress.failed(sentence)
            self._progress.disconnected()
            await asyncio.sleep(self._backoff.next_pause())

    def _connect(self) -> connect:
        return connect(
            self._url,
            ssl=self._trust,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            open_timeout=10,
            close_timeout=2,
            ping_interval=20,
            ping_timeout=20,
            proxy=None if is_loopback(self._url) else True,
        )


def _reason(error: BaseException) -> str:
    if isinstance(error, ConnectionClosed):
        return f"closed with {error.rcvd.code}" if error.rcvd else "lost"
    return str(error) or type(error).__name__
