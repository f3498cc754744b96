"""A small server that speaks the wire's language over TLS and keeps what it is sent."""

import asyncio
import contextlib
import ssl
import time
from dataclasses import dataclass, field

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.wire import Role
from tests.certificates import make_certificate


@dataclass
class Server:
    """What the server has stored, and how it behaves."""

    token: str = "good"
    role: Role = Role.ACTIVE
    ticks: list = field(default_factory=list)
    seq: int = 0
    history: dict = field(default_factory=dict)
    heartbeats: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    auths: list = field(default_factory=list)
    repeated: int = 0
    connections: int = 0
    acknowledges: bool = True
    cut_every: int = 0
    lifetime: float = 3600.0
    sockets: set = field(default_factory=set)
    url: str = ""
    port: int = 0
    spool: str | None = None
    others: list = field(default_factory=list)

    def resume(self):
        time_ms = self.ticks[-1][0] if self.ticks else None
        return {"XAUUSD": wire.Resume(seq=self.seq, time=time_ms)}

    def forget(self, keep=0):
        """Lose all but the first ``keep`` ticks, as a Redis that was flushed."""
        del self.ticks[keep:]
        self.seq = keep

    async def say(self, socket, message):
        with contextlib.suppress(ConnectionClosed):
            await socket.send(wire.encode(message))

    async def welcome(self, socket):
        await self.say(
            socket,
            wire.AuthOk(
                connector="test",
                role={"XAUUSD": self.role},
                resume=self.resume(),
                heartbeat_interval=0.5,
                expires_at=wire.iso(round((time.time() + self.lifetime) * 1000)),
            ),
        )

    async def promote(self):
        self.role = Role.ACTIVE
        for socket in self.sockets:
            await self.welcome(socket)

    async def cut(self):
        for socket in list(self.sockets):
            socket.transport.abort()

    async def handle(self, socket):
        self.connections += 1
        self.sockets.add(socket)
        frames = 0
        try:
            now = wire.iso(round(time.time() * 1000))
            await self.say(socket, wire.Connected(server_time=now))
            async for frame in socket:
                frames += 1
                if self.cut_every and frames % self.cut_every == 0:
                    socket.transport.abort()
                    return
                await self.take(socket, wire.decode_from_connector(frame))
        except ConnectionClosed:
            pass
        finally:
            self.sockets.discard(socket)

    async def take(self, socket, message):
        match message:
            case wire.Auth():
                self.auths.append(message)
                if message.spool != self.spool:
                    # Of the last millisecond another spool may send again what is there.
                    last_ms = self.ticks[-1][0] if self.ticks else None
                    self.others = [tick for tick in self.ticks if tick[0] == last_ms]
                    self.spool = message.spool
                if message.token != self.token:
                    now = wire.iso(0)
                    error = wire.Error(code="AUTH_FAILED", message="bad token", timestamp=now)
                    await self.say(socket, error)
                    await socket.close(4401)
                    return
                await self.welcome(socket)
            case wire.History():
                self.history[message.timeframe] = message.rows
                ack = wire.HistoryAck(
                    symbol=message.symbol, timeframe=message.timeframe, stored=len(message.rows)
                )
                await self.say(socket, ack)
            case wire.TickBatch():
                self.store(message)
                if self.acknowledges:
                    await self.say(socket, wire.Ack(symbol=message.symbol, seq=self.seq))
            case wire.Heartbeat():
                self.heartbeats.append(message)
                now = wire.iso(round(time.time() * 1000))
                await self.say(socket, wire.HeartbeatAck(timestamp=now))
            case wire.Error():
                self.errors.append(message)
            case other:
                raise AssertionError(other)

    def store(self, batch):
        if self.role is not Role.ACTIVE:
            return
        for seq, row in enumerate(batch.rows, batch.seq):
            if seq <= self.seq:
                self.repeated += 1
                continue
            self.seq = seq
            tick = (row.time_ms, row.bid, row.ask)
            if tick in self.others:
                self.others.remove(tick)
                continue
            self.ticks.append(tick)


@contextlib.asynccontextmanager
async def running(server, folder, port=0):
    """Serve on a free port of loopback until the block ends; the certificate is in ``folder``."""
    if not (folder / "cert.pem").exists():
        make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    async with serve(
        server.handle, "127.0.0.1", port, ssl=context, max_size=wire.MAX_MESSAGE_BYTES,
        compression=None, close_timeout=0.2,
    ) as listening:  # fmt: skip
        server.port = listening.sockets[0].getsockname()[1]
        server.url = f"wss://127.0.0.1:{server.port}/ws/v1/ticks"
        try:
            yield server
        finally:
            await server.cut()


async def until(claim, seconds=60.0):
    """Wait until ``claim()`` holds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not claim():
        assert asyncio.get_running_loop().time() < deadline, "waited in vain"
        await asyncio.sleep(0.01)
