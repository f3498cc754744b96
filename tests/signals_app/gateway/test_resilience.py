"""The gateway when Redis dies, stalls or comes back empty, and when peers mean harm."""

import asyncio
import gc
import json
import os
import random
import resource
import signal
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from goldtrader.stack.servers import valkey
from signals_app.gateway.limits import Limits
from signals_app.gateway.places import PlaceLimits
from signals_app.gateway.server import Gateway
from tests.signals_app.gateway.conftest import Harness, Peer, quotes, stored, token

NOON = 1_704_456_000_000
LONG_FUZZ = 200_000


@dataclass
class Store:
    """A Valkey of the test's own, to be killed."""

    home: Path
    running: valkey.Valkey = field(init=False)

    def __post_init__(self) -> None:
        self.running = valkey.start(
            home=self.home / "valkey", log=self.home / "valkey.log", password="own"
        )
        self.url = self.running.url
        self.client = Redis.from_url(self.url)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.running.server.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.running.server.wait()

    def revive(self) -> None:
        """Start it again on the same port, with what its file holds."""
        self.running = replace(self.running, server=self.running.program.start(None))
        for _ in range(200):
            try:
                self.client.ping()
            except Exception:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("it does not come back")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.client.close()
    made.signal(signal.SIGCONT)
    valkey.stop(made.running.server)


class Persistent:
    """A connector that numbers its ticks, keeps them all, and always comes back."""

    def __init__(self, harness: Harness, gateway: Gateway, rows: Sequence[Sequence[float]]) -> None:
        self.harness, self.gateway, self.rows = harness, gateway, rows
        self.stored = 0
        self.connections = 0

    async def deliver(self, batch: int = 20, pause: float = 0.0) -> None:
        """Return when the last tick is acknowledged."""
        while self.stored < len(self.rows):
            try:
                async with self.harness.connect(self.gateway) as connector:
                    self.connections += 1
                    await self._deliver(connector, batch, pause)
            except (ConnectionClosed, OSError, TimeoutError):
                await asyncio.sleep(0.02)

    async def _deliver(self, connector: Peer, batch: int, pause: float) -> None:
        welcome = await connector.authenticate(token(), "XAUUSD")
        position = welcome["resume"]["XAUUSD"]["seq"]
        hearing = asyncio.create_task(self._receive(connector))
        try:
            while position < len(self.rows):
                await connector.send_batch(position + 1, self.rows[position : position + batch])
                position += batch
                await asyncio.sleep(pause)
            await hearing
        finally:
            hearing.cancel()

    async def _receive(self, connector: Peer) -> None:
        while self.stored < len(self.rows):
            self.stored = (await connector.receive("ack", within=20.0))["seq"]


async def test_a_killed_redis_loses_and_doubles_no_tick(store: Store, harness: Harness) -> None:
    gateway = await harness.start(redis_url=store.url)
    rows = quotes(NOON, 3000)
    connector = Persistent(harness, gateway, rows)
    delivery = asyncio.create_task(connector.deliver(pause=0.01))
    for _ in range(3):
        await asyncio.sleep(0.3)
        await asyncio.to_thread(store.kill)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(store.revive)
    await asyncio.wait_for(delivery, 30)
    assert [tick[1] for tick in stored(store.client)] == [row[0] for row in rows]


async def test_an_emptied_redis_loses_and_doubles_no_tick(store: Store, harness: Harness) -> None:
    gateway = await harness.start(redis_url=store.url)
    rows = quotes(NOON, 3000)
    connector = Persistent(harness, gateway, rows)
    delivery = asyncio.create_task(connector.deliver(pause=0.01))
    for _ in range(3):
        await asyncio.sleep(0.3)
        store.client.flushall()
    await asyncio.wait_for(delivery, 30)
    # Nothing was used of it yet, so all of it was sent again.
    assert [tick[1] for tick in stored(store.client)] == [row[0] for row in rows]
    assert connector.connections == 4


async def test_a_stalled_redis_stalls_reading_and_memory_stays_bounded(
    store: Store, harness: Harness
) -> None:
    gateway = await harness.start(redis_url=store.url)
    rows = quotes(NOON, 1000)
    async with harness.connect(gateway) as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.send_batch(1, rows)
        await connector.acknowledged(1000)
        before = _resident()
        store.signal(signal.SIGSTOP)
        frames = 0

        async def flood() -> None:
            nonlocal frames
            while True:
                first = 1001 + 1000 * frames
                await connector.send_batch(first, quotes(NOON + 1000 * first, 1000))
                frames += 1

        async def stalls() -> int:
            """Wait until no frame is taken any more, however slow the machine is."""
            async with asyncio.timeout(20):
                while True:
                    sent = frames
                    await asyncio.sleep(1.0)
                    if sent and frames == sent:
                        return sent

        async def goes_on(sent: int) -> None:
            async with asyncio.timeout(20):
                while frames == sent:  # noqa: ASYNC110 - another task counts
                    await asyncio.sleep(0.05)

        flooding = asyncio.create_task(flood())
        # The line is full. Most of it lies in the sockets' own buffers.
        sent = await stalls()
        assert _resident() - before < 48 << 20
        store.signal(signal.SIGCONT)
        await goes_on(sent)
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)


async def test_unauthenticated_peers_cannot_make_the_gateway_hold_much(
    harness: Harness,
) -> None:
    gateway = await harness.start(
        places=PlaceLimits(reserved=20, per_address=20), limits=Limits(auth_timeout_ms=60_000)
    )
    uri = f"wss://localhost:{gateway.port}/ws/v1/ticks"
    async with harness.connect(gateway) as good:
        await good.authenticate(token(), "XAUUSD")
        peers = [
            await connect(uri, ssl=harness.trusted, compression=None, ping_interval=None)
            for _ in range(20)
        ]
        gc.collect()
        before = _resident()
        # Each says that it sends 8 MiB.
        for peer in peers:
            peer.transport.write(b"\x81\xff" + (8 << 20).to_bytes(8) + b"\0\0\0\0")
        for _ in range(64):
            for peer in peers:
                peer.transport.write(b"x" * 65536)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        grown = _resident() - before
        # Peers and gateway share this process: the peers' own buffers are in the figure too.
        assert grown < 20 << 20
        for peer in peers:
            await peer.wait_closed()
        async with harness.connect(gateway) as extra:
            await extra.authenticate(token("mt5-extra", "EURUSD"), "EURUSD")
        await good.send_batch(1, quotes(NOON, 10))
        await good.acknowledged(10)
        for peer in peers:
            peer.transport.abort()


@pytest.mark.parametrize(("count", "size"), [(110, 8000), (100, 1000), (1, 1 << 20)])
async def test_a_request_with_much_in_its_headers_is_refused_and_not_kept(
    harness: Harness, count: int, size: int
) -> None:
    gateway = await harness.start()
    gc.collect()
    before = _resident()
    lines = []
    for _ in range(10):
        reader, writer = await asyncio.open_connection(
            "localhost", gateway.port, ssl=harness.trusted
        )
        writer.write(b"GET /ws/v1/ticks HTTP/1.1\r\nHost: localhost\r\n")
        for n in range(count):
            writer.write(b"X-%d: %s\r\n" % (n, b"x" * size))
        lines.append((reader, writer))
    for reader, _ in lines:
        assert (await asyncio.wait_for(reader.readline(), 5)).split()[1] == b"431"
    # The peers' own buffers are in the figure too.
    assert _resident() - before < 10 << 20
    for _, writer in lines:
        writer.transport.abort()


async def test_peers_that_never_begin_with_tls_are_counted_too(harness: Harness) -> None:
    gateway = await harness.start(places=PlaceLimits(strangers=10, per_address=10))
    lines = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(30)]
    await asyncio.sleep(0.2)
    cut_off = [reader.at_eof() for reader, _ in lines]
    assert cut_off == [True] * 20 + [False] * 10
    for _, writer in lines:
        writer.transport.abort()
    await asyncio.sleep(0.1)
    async with harness.connect(gateway) as good:
        await good.authenticate(token(), "XAUUSD")


async def test_a_peer_that_never_reads_is_dropped(harness: Harness) -> None:
    gateway = await harness.start()

    def make_it_answer_for_ever() -> None:
        with (
            socket.create_connection(("localhost", gateway.port), timeout=10) as plain,
            harness.trusted.wrap_socket(plain, server_hostname="localhost") as peer,
        ):
            peer.sendall(
                b"GET /ws/v1/ticks HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            assert peer.recv(12).endswith(b" 101")
            while True:
                peer.sendall((b"\x89\xfd\0\0\0\0" + b"x" * 125) * 2000)

    async with harness.connect(gateway) as good:
        await good.authenticate(token(), "XAUUSD")
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await asyncio.to_thread(make_it_answer_for_ever)
        await good.send_batch(1, quotes(NOON, 10))
        await good.acknowledged(10)


async def _read_all(peer: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        async for _ in peer:
            pass


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _mutated(random_: random.Random) -> str | bytes:
    """Return a frame that is nearly right, or not at all."""
    message: Any = {
        "type": random_.choice(
            ["tick", "ticks", "heartbeat", "history", "error", "auth", "ack", "x", 1, None]
        ),
        "symbol": random_.choice(["XAUUSD", "EURUSD", "", None, 5]),
        "timestamp": random_.choice(["2024-01-05T12:00:00Z", "yesterday", 17, ""]),
        "bid": random_.choice([2000.0, -1, 0, None, "2000", 1e308]),
        "ask": random_.choice([2000.3, 1999, None, 10**400, {}]),
        "rows": random_.choice([[], [[NOON, 1, 2]], [[]], [None], "rows", [[NOON, "a", 2]]]),
        "seq": random_.choice([None, -5, 1.5, "1", 2**70]),
        "token": random_.choice([None, "x" * 9000, 3]),
        "symbols": random_.choice([None, [], ["XAUUSD"], [1]]),
        "watermark": random_.choice([None, {}, {"XAUUSD": -1}, {"XAUUSD": "x"}]),
        "timeframe": random_.choice(["M15", "M1", None]),
        "code": random_.choice(["MT5_DISCONNECTED", "", 5]),
        "message": random_.choice(["gone", None, "y" * 3000]),
    }
    for name in random_.sample(sorted(message), random_.randrange(len(message))):
        del message[name]
    frame = json.dumps(message)
    match random_.randrange(8):
        case 0:
            place = random_.randrange(len(frame))
            return frame[:place] + chr(random_.randrange(32, 0x2FFF)) + frame[place + 1 :]
        case 1:
            return frame[: random_.randrange(len(frame))]
        case 2:
            return random_.randbytes(random_.randrange(200))
        case 3:
            return "[" * random_.randrange(5000)
        case _:
            return frame


async def _fuzz(harness: Harness, frames: int) -> None:
    """Send mutated frames, hundreds to a connection, beside a good connector."""
    gateway = await harness.start(limits=replace(Limits(), messages_per_second=10**6))
    random_ = random.Random(frames)
    rows = quotes(NOON, 2000)
    good = Persistent(harness, gateway, rows)
    delivery = asyncio.create_task(good.deliver(batch=1, pause=0.001))
    uri = f"wss://localhost:{gateway.port}/ws/v1/ticks"
    sent = 0
    while sent < frames:
        async with connect(uri, ssl=harness.trusted, compression=None) as peer:
            # A peer that does not read does not hear that it is sent away.
            reading = asyncio.create_task(_read_all(peer))
            if random_.random() < 0.7:
                auth = {"type": "auth", "token": token("fuzz", "EURUSD"), "symbols": ["EURUSD"]}
                await peer.send(json.dumps(auth))
            try:
                for _ in range(400):
                    await peer.send(_mutated(random_))
                    sent += 1
                    if sent % 50 == 0:
                        await asyncio.sleep(0)
            except ConnectionClosed:
                pass
        await reading
    await asyncio.wait_for(delivery, 60)
    assert good.connections == 1


async def test_no_frame_disturbs_the_gateway_or_the_connection_beside_it(
    harness: Harness, redis_client: "Redis", caplog: pytest.LogCaptureFixture
) -> None:
    await _fuzz(harness, 3000)
    assert len(stored(redis_client)) == 2000
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.long
async def test_a_long_run_of_mutated_frames_does_not_grow_the_gateway(
    harness: Harness, redis_client: "Redis", caplog: pytest.LogCaptureFixture
) -> None:
    await _fuzz(harness, LONG_FUZZ // 4)
    before = _resident()
    assert harness.gateway is not None
    await harness.gateway.stop()
    redis_client.flushdb()
    caplog.clear()
    await _fuzz(harness, LONG_FUZZ)
    assert _resident() - before < 64 << 20
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
