"""Ten connectors for ten symbols at a steady rate: the time from frame to stream, and memory.

    python -m tests.benchmarks.load_gateway [--minutes 10] [--connectors 10] [--per-second 50]

The gateway is a process of its own; the connectors share one, and a reader of all streams has
another. The gateway's memory is printed each minute (in short runs each tenth), and all at the end.
"""
# ruff: noqa: T201 - what is printed is the result

import argparse
import asyncio
import logging
import multiprocessing
import os
import statistics
import tempfile
import time
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from redis import Redis
from websockets.asyncio.client import connect

from goldtrader.stack.servers import valkey
from mt5_bridge.protocol import wire
from signals_app.gateway.server import GatewayOptions
from tests.benchmarks.bench_gateway import percentile, serve_ours
from tests.certificates import make_certificate
from tests.signals_app.gateway.conftest import KEYS, client_tls, token


def read_streams(redis_url: str, symbols: list[str], pipe: Pipe) -> None:
    """Note for each tick when it was readable; its sending time stands in its bid and ask."""
    redis = Redis.from_url(redis_url, socket_timeout=None)
    after: dict[str | bytes, bytes | str] = {f"ticks:{symbol}": "0-0" for symbol in symbols}
    pipe.send("ready")
    seen: list[tuple[str, int, float]] = []
    trimmed = time.monotonic()
    while True:
        found = redis.xread(after, block=1000)
        now = time.monotonic()
        for key, entries in found:
            for entry_id, fields in entries:
                after[key.decode()] = entry_id
                seen.append((key.decode().removeprefix("ticks:"), int(fields[b"q"]), now))
        if now - trimmed > 10:
            # So that it is the gateway's memory that a long run shows, not the stream's.
            trimmed = now
            for symbol in symbols:
                redis.xtrim(f"ticks:{symbol}", maxlen=1000)
        if pipe.poll():
            pipe.send(seen)
            return


async def send_ticks(
    port: int, certificate: Path, symbol: str, per_second: float, seconds: float, phase: float
) -> list[float]:
    """Send single ticks at a steady rate, a ``phase`` apart from others; return the times."""
    uri = f"wss://localhost:{port}/ws/v1/ticks"
    sent: list[float] = []
    async with connect(uri, ssl=client_tls(certificate), compression=None) as socket:
        auth = wire.Auth(token=token(f"mt5-{symbol}", symbol), symbols=[symbol])
        await socket.send(wire.encode(auth))
        while "auth_ok" not in str(await socket.recv()):
            pass

        async def drain() -> None:
            async for message in socket:
                assert '"error"' not in str(message), message

        draining = asyncio.create_task(drain())
        started = time.monotonic() + phase / per_second
        for n in range(int(per_second * seconds)):
            await asyncio.sleep(started + n / per_second - time.monotonic())
            bid = 2000 + n % 100 / 100
            now_ms = time.time_ns() // 1_000_000
            tick = wire.TickMessage(symbol, wire.iso(now_ms), bid, bid + 0.3, seq=n + 1)
            sent.append(time.monotonic())
            await socket.send(wire.encode(tick))
        await asyncio.sleep(1)
        draining.cancel()
    return sent


def resident(pid: int) -> float:
    """Return a process's resident memory in megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def measure(
    options: GatewayOptions, certificate: Path, connectors: int, per_second: float, seconds: float
) -> None:
    symbols = [f"SYM{n:02}" for n in range(connectors)]
    gateway_pipe, theirs = multiprocessing.Pipe()
    gateway = multiprocessing.Process(target=serve_ours, args=(options, theirs), daemon=True)
    gateway.start()
    port = gateway_pipe.recv()
    reader_pipe, theirs = multiprocessing.Pipe()
    reader = multiprocessing.Process(
        target=read_streams, args=(options.redis_url, symbols, theirs), daemon=True
    )
    reader.start()
    reader_pipe.recv()
    assert gateway.pid is not None
    memory: list[float] = []
    interval = min(60.0, seconds / 10)

    async def watch() -> None:
        while True:
            await asyncio.sleep(interval)
            memory.append(resident(gateway.pid or 0))
            ticks = round(len(memory) * interval * per_second * connectors)
            print(f"  {ticks:>9,} ticks: the gateway holds {memory[-1]:.2f} MB", flush=True)

    watching = asyncio.create_task(watch())
    sent = await asyncio.gather(
        *(
            send_ticks(port, certificate, symbol, per_second, seconds, place / connectors)
            for place, symbol in enumerate(symbols)
        )
    )
    watching.cancel()
    reader_pipe.send("end")
    seen = await asyncio.to_thread(reader_pipe.recv)
    gateway_pipe.send(None)
    gateway.join(10)
    sent_by = dict(zip(symbols, sent, strict=True))
    following = dict.fromkeys(symbols, 0)
    found: list[float] = []
    for symbol, seq, when in seen:
        while following[symbol] < seq:
            found.append(1000 * (when - sent_by[symbol][following[symbol]]))
            following[symbol] += 1
    total = sum(map(len, sent))
    print(
        f"{connectors} connectors, {per_second:g} ticks/s each, {seconds:.0f} s: "
        f"{len(found):,} of {total:,} ticks stored\n"
        f"frame to stream p50 {statistics.median(found):.2f}, p99 {percentile(found, 0.99):.2f}, "
        f"maximum {max(found):.2f} ms\n"
        f"memory of the gateway {memory[0]:.2f} MB at first, {memory[-1]:.2f} MB at the end"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--connectors", type=int, default=10)
    parser.add_argument("--per-second", type=float, default=50)
    chosen = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="load-gateway-") as home:
        certificate, private_key = make_certificate(Path(home))
        store = valkey.start(
            home=Path(home) / "valkey", log=Path(home) / "valkey.log", password="load"
        )
        options = GatewayOptions(
            redis_url=store.url,
            certificate=certificate,
            private_key=private_key,
            keys=KEYS,
            port=0,
        )
        try:
            asyncio.run(
                measure(
                    options, certificate, chosen.connectors, chosen.per_second, chosen.minutes * 60
                )
            )
        finally:
            valkey.stop(store.server)


if __name__ == "__main__":
    main()
