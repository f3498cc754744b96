"""How fast ticks get through the gateway, beside a bare loop that does nothing else.

    python -m tests.benchmarks.bench_gateway [--quick]

Three processes on one machine: a sender, the server (the gateway, or the bare loop: receive,
decode, append one stream entry per frame to Redis, pipelined) and Valkey with its file written
every second. Both are measured in one run, one after the other, by the same sender over wss. The
line for latency gives the time from just before a frame is sent until a reader of the stream has
it.
"""

# ruff: noqa: T201 - what is printed is the result

import argparse
import asyncio
import logging
import multiprocessing
import ssl
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from goldtrader.stack.servers import valkey
from mt5_bridge.protocol import wire
from signals_app.gateway.server import Gateway, GatewayOptions
from tests.certificates import make_certificate
from tests.signals_app.gateway.conftest import (
    KEYS,
    MemoryDatabase,
    client_tls,
    token,
)

SYMBOL = "XAUUSD"
FLUSH_AT = 250


@dataclass(frozen=True)
class Shape:
    """One kind of traffic; `rows` 0 are frames of one tick each."""

    name: str
    rows: int
    ticks: int
    target: float


SHAPES = (
    Shape("batches of 1000", 1000, 1_000_000, 100_000),
    Shape("batches of 50", 50, 400_000, 100_000),
    Shape("one tick a frame", 0, 100_000, 15_000),
)


def frames_of(shape: Shape, first_seq: int, ticks: int) -> list[str]:
    """Return the frames of so many ticks, a random walk would compress no better."""
    start_ms = int(time.time() * 1000) - 50_000_000
    frames = []
    if shape.rows:
        for seq in range(first_seq, first_seq + ticks, shape.rows):
            rows = [
                (start_ms + n, 2000 + n % 97 / 100, 2000.3 + n % 97 / 100, None, None)
                for n in range(seq, seq + shape.rows)
            ]
            frames.append(wire.encode_ticks(SYMBOL, seq, rows))
        return frames
    for n in range(first_seq, first_seq + ticks):
        bid = 2000 + n % 97 / 100
        tick = wire.TickMessage(SYMBOL, wire.iso(start_ms + n), bid, bid + 0.3, seq=n)
        frames.append(wire.encode(tick))
    return frames


class QuietDatabase(MemoryDatabase):
    """Keeps no list of wake-ups, which would grow with the ticks as if the gateway leaked."""

    def wake(self, symbol: str) -> None:
        """Wake nobody."""


def serve_ours(options: GatewayOptions, pipe: Pipe) -> None:
    """Run the gateway until the pipe closes."""

    async def main() -> None:
        gateway = Gateway(options, QuietDatabase())
        await gateway.start()
        pipe.send(gateway.port)
        await asyncio.to_thread(pipe.recv)
        await gateway.stop()

    asyncio.run(main())


class BareTick(msgspec.Struct, tag_field="type", tag="tick"):
    symbol: str
    timestamp: str
    bid: float
    ask: float
    seq: int


class BareBatch(msgspec.Struct, tag_field="type", tag="ticks"):
    symbol: str
    seq: int
    rows: list[tuple[int, float, float, float | None, float | None]]


class BareAuth(msgspec.Struct, tag_field="type", tag="auth"):
    token: str


def serve_bare(options: GatewayOptions, pipe: Pipe) -> None:
    """Receive, decode, store: one entry per frame, a flush in flight while the next one fills."""
    decoder = msgspec.json.Decoder(BareTick | BareBatch | BareAuth)

    async def handler(socket: ServerConnection) -> None:
        redis = AsyncRedis.from_url(options.redis_url)
        filling, last_seq = redis.pipeline(transaction=False), 0
        work = asyncio.Event()

        async def flush() -> None:
            nonlocal filling
            while True:
                await work.wait()
                work.clear()
                full, filling, seq = filling, redis.pipeline(transaction=False), last_seq
                await full.execute()
                await socket.send(wire.encode(wire.Ack(symbol=SYMBOL, seq=seq)))

        flushing = asyncio.create_task(flush())
        async for frame in socket:
            message = decoder.decode(frame)
            if isinstance(message, BareAuth):
                await socket.send('{"type":"auth_ok"}')
                continue
            count = 1 if isinstance(message, BareTick) else len(message.rows)
            last_seq = message.seq + count - 1
            fields = {"f": message.seq, "n": count, "c": "bare", "q": last_seq, "d": frame}
            filling.xadd("bare", fields)
            if len(filling) >= FLUSH_AT:
                work.set()
                await asyncio.sleep(0)
            work.set()
        flushing.cancel()
        await redis.aclose()

    async def main() -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certificate, options.private_key)
        async with serve(handler, "127.0.0.1", 0, ssl=tls, compression=None) as server:
            pipe.send(next(iter(server.sockets)).getsockname()[1])
            await asyncio.to_thread(pipe.recv)

    asyncio.run(main())


@contextmanager
def serving(target: Any, options: GatewayOptions) -> Iterator[int]:
    """Run a server in a process of its own; give its port."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=target, args=(options, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join(10)


async def enter(socket: ClientConnection) -> None:
    await socket.send(wire.encode(wire.Auth(token=token(), symbols=[SYMBOL])))
    while "auth_ok" not in str(await socket.recv()):
        pass


async def throughput(port: int, certificate: Path, frames: list[str], last_seq: int) -> float:
    """Return the seconds from the first frame to the acknowledgement of the last."""
    uri = f"wss://localhost:{port}/ws/v1/ticks"
    async with connect(uri, ssl=client_tls(certificate), compression=None) as socket:
        await enter(socket)

        async def acknowledged() -> None:
            while True:
                message = msgspec.json.decode(await socket.recv())
                if message["type"] == "error":
                    raise AssertionError(message)
                if message["type"] == "ack" and message["seq"] >= last_seq:
                    return

        waiting = asyncio.create_task(acknowledged())
        started = time.perf_counter()
        for frame in frames:
            await socket.send(frame)
            if waiting.done():
                break
        await waiting
        return time.perf_counter() - started


def read_stream(redis_url: str, key: str, last_seq: int, pipe: Pipe) -> None:
    """Note when each seq is readable in the stream."""
    redis = Redis.from_url(redis_url, socket_timeout=None)
    seen: list[tuple[int, float]] = []
    after, seq = b"$", 0
    pipe.send("ready")
    while seq < last_seq:
        for _, entries in redis.xread({key: after}, block=10_000):
            now = time.monotonic()
            for after, fields in entries:  # noqa: B007
                seq = int(fields[b"q"])
                seen.append((seq, now))
    pipe.send(seen)


async def latencies(
    port: int,
    certificate: Path,
    redis_url: str,
    key: str,
    first_seq: int,
    per_second: int,
    count: int,
) -> list[float]:
    """Return the milliseconds from frame to stream of each tick, at a steady rate."""
    frames = frames_of(SHAPES[-1], first_seq, count)
    ours, theirs = multiprocessing.Pipe()
    last_seq = first_seq + count - 1
    reader = multiprocessing.Process(
        target=read_stream, args=(redis_url, key, last_seq, theirs), daemon=True
    )
    reader.start()
    ours.recv()
    await asyncio.sleep(0.2)
    sent: list[float] = []
    uri = f"wss://localhost:{port}/ws/v1/ticks"
    async with connect(uri, ssl=client_tls(certificate), compression=None) as socket:
        await enter(socket)
        drain = asyncio.create_task(_drain(socket))
        started = time.monotonic()
        for n, frame in enumerate(frames):
            pause = started + n / per_second - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            sent.append(time.monotonic())
            await socket.send(frame)
        seen = await asyncio.to_thread(ours.recv)
        drain.cancel()
    reader.join(5)
    found: list[float] = []
    following = 0
    for seq, when in seen:
        while following <= seq - first_seq:
            found.append(1000 * (when - sent[following]))
            following += 1
    return found


async def _drain(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the ticks")
    chosen = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as home:
        certificate, private_key = make_certificate(Path(home))
        store = valkey.start(
            home=Path(home) / "valkey", log=Path(home) / "valkey.log", password="bench"
        )
        try:
            options = GatewayOptions(
                redis_url=store.url,
                certificate=certificate,
                private_key=private_key,
                keys=KEYS,
                port=0,
            )
            measure(options, certificate, scale=0.1 if chosen.quick else 1.0)
        finally:
            valkey.stop(store.server)


def measure(options: GatewayOptions, certificate: Path, scale: float) -> None:
    redis = Redis.from_url(options.redis_url)
    print(f"{'':<22}{'ours':>14}{'bare loop':>14}{'ratio':>8}{'target':>12}")
    for shape in SHAPES:
        rates = []
        ticks = int(shape.ticks * scale)
        frames = frames_of(shape, 1, ticks)
        for target, key in ((serve_ours, f"ticks:{SYMBOL}"), (serve_bare, "bare")):
            redis.flushdb()
            with serving(target, options) as port:
                seconds = asyncio.run(throughput(port, certificate, frames, ticks))
            stored = sum(int(fields[b"n"]) for _, fields in redis.xrange(key))
            assert stored == ticks, (stored, ticks)
            rates.append(ticks / seconds)
        ours, bare = rates
        print(
            f"{shape.name:<22}{ours:>12,.0f}/s{bare:>12,.0f}/s{ours / bare:>8.2f}"
            f"{shape.target:>10,.0f}/s"
        )
    for per_second in (100, 1000):
        figures = []
        for target, key in ((serve_ours, f"ticks:{SYMBOL}"), (serve_bare, "bare")):
            redis.flushdb()
            with serving(target, options) as port:
                count = int(per_second * 10 * max(scale, 0.3))
                found = asyncio.run(
                    latencies(port, certificate, options.redis_url, key, 1, per_second, count)
                )
            figures.append(found)
        shown = "   ".join(
            f"{name} p50 {statistics.median(found):.2f} p99 {percentile(found, 0.99):.2f} ms"
            for name, found in zip(("ours", "bare"), figures, strict=True)
        )
        print(f"frame to stream at {per_second}/s:  {shown}")
    redis.close()


if __name__ == "__main__":
    main()
