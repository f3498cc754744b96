"""Sends what there is to send over one open WebSocket."""

import asyncio
from contextlib import suppress
from typing import Final

from websockets.asyncio.client import ClientConnection

from mt5_bridge.connector.clocks import read_clocks
from mt5_bridge.connector.feeder import Feeder
from mt5_bridge.connector.progress import Progress
from mt5_bridge.connector.spool import Spool
from mt5_bridge.protocol.delivery import TickRange
from mt5_bridge.protocol.link import Link
from mt5_bridge.protocol.wire import encode, encode_ticks

# Ticks that are read from the spool for one turn of sending.
_TURN: Final = 10_000
_IDLE: Final = 0.5


class Stalled(Exception):  # noqa: N818 - a state of the line, not a mistake
    """The server is silent: the line is dead though nobody closed it."""


class Sender:
    """Messages and heartbeats first, then ticks; waits for `news` where there is nothing."""

    def __init__(
        self,
        socket: ClientConnection,
        link: Link,
        spool: Spool,
        feeder: Feeder,
        progress: Progress,
        news: asyncio.Event,
    ) -> None:
        """``news`` is set by whoever has something to send."""
        self._socket = socket
        self._link = link
        self._spool = spool
        self._feeder = feeder
        self._progress = progress
        self._news = news

    async def run(self) -> None:
        """Send until the connection ends; raises `Stalled`."""
        while True:
            self._news.clear()
            reading = read_clocks()
            for message in self._link.outgoing():
                await self._socket.send(encode(message))
            if heartbeat := self._link.heartbeat(self._watermarks(), reading):
                await self._socket.send(encode(heartbeat))
            if self._link.heartbeats.is_server_silent(reading.seconds):
                raise Stalled("the server has been silent for too long")
            if ticks := self._link.next_range(reading, _TURN):
                await self._send(ticks)
                continue
            # Not by wait_for: before Python 3.12 it may swallow a cancellation.
            with suppress(TimeoutError):
                async with asyncio.timeout(_IDLE):
                    await self._news.wait()

    async def _send(self, ticks: TickRange) -> None:
        delivery, sent_seq = self._link.deliveries[ticks.symbol], ticks.after_seq
        batches = await asyncio.to_thread(
            self._spool.read, ticks.symbol, ticks.after_seq, ticks.up_to_seq
        )
        for whole in batches:
            if delivery.sent_seq != sent_seq:
                return  # the server asked to resume elsewhere meanwhile
            batch = whole.up_to(ticks.up_to_seq)
            frame = encode_ticks(ticks.symbol, batch.first_seq, batch.quotes.rows())
            await self._socket.send(frame)
            if delivery.sent_seq != sent_seq:
                return
            sent_seq = batch.last_seq
            delivery.sent(sent_seq, int(batch.quotes.time_ms[-1]))
            self._progress.count_sent(len(batch.quotes))

    def _watermarks(self) -> dict[str, int]:
        watermark_ms = self._feeder.watermark_ms
        return {} if watermark_ms is None else {self._progress.status.symbol: watermark_ms}
