"""Sends one session's messages in their order, and closes its connection after the last."""

import asyncio
from collections import deque
from typing import Final, Protocol

from mt5_bridge.protocol import wire
from signals_app.gateway import metrics
from signals_app.gateway.actions import Actions, Close, Send

_MAX_OUTGOING: Final = 1_000
# Acknowledgements that come together are sent together.
_ACK_DELAY: Final = 0.02
_SEND_TIMEOUT: Final = 30.0


class MessageSocket(Protocol):
    """The part of a WebSocket connection that sends."""

    async def send(self, message: str, /) -> None: ...

    async def close(self, code: int, reason: str, /) -> None: ...


class MessageSender:
    """Messages wait here until `run` sends them; of acknowledgements only a symbol's last one."""

    def __init__(self, socket: MessageSocket) -> None:
        self._socket = socket
        self._outgoing: deque[wire.ServerMessage] = deque()
        self._acks: dict[str, int] = {}
        self._close: Close | None = None
        self._has_work = asyncio.Event()

    def carry_out(self, actions: Actions) -> None:
        """Carry out actions that only speak; raises `TypeError` for any other."""
        for action in actions:
            match action:
                case Send(message):
                    self._send(message)
                case Close():
                    self._close = action
                    self._has_work.set()
                case _:
                    raise TypeError(f"{action} follows from a frame only")

    def acknowledge(self, symbol: str, seq: int) -> None:
        """Acknowledge the symbol's ticks up to `seq`, a moment later."""
        self._acks[symbol] = seq
        self._has_work.set()

    async def flushed(self) -> None:
        """Wait until what was said is sent, but for acknowledgements."""
        while self._outgoing:  # noqa: ASYNC110 - `run` is about to send it
            await asyncio.sleep(0)

    async def run(self) -> None:
        """Send until the connection is to be closed, and close it.

        Raises `TimeoutError` where the peer does not take a message, and `ConnectionClosed`.
        """
        while True:
            await self._has_work.wait()
            if not self._outgoing and self._close is None:
                await asyncio.sleep(_ACK_DELAY)
            self._has_work.clear()
            async with asyncio.timeout(_SEND_TIMEOUT):
                while self._outgoing:
                    await self._socket.send(wire.encode(self._outgoing.popleft()))
                acks, self._acks = self._acks, {}
                for symbol, seq in acks.items():
                    await self._socket.send(wire.encode(wire.Ack(symbol=symbol, seq=seq)))
            if self._close is not None:
                await self._socket.close(self._close.code, self._close.reason[:120])
                return

    def _send(self, message: wire.ServerMessage) -> None:
        if isinstance(message, wire.Error):
            metrics.errors_sent.labels(message.code).inc()
            if len(self._outgoing) >= _MAX_OUTGOING:
                return  # a peer that does not read gets no more complaints
        self._outgoing.append(message)
        self._has_work.set()
