"""Faults of every kind between a file of ticks and the reader of the stream: nothing lost or twice.

Connector, gateway and Redis are processes of their own and are killed; the line runs through a
proxy that cuts and stalls it; Redis is emptied; clocks go wrong. In the end the reader has the
file's ticks.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from redis import Redis, RedisError

from goldtrader.stack import ports, valkey
from signals_app.gateway import offline
from signals_app.market.tick import Tick, Ticks
from tests.signals_app.gateway.conftest import make_certificate, token

ROOT = Path(__file__).resolve().parents[3]
WRONG_CLOCK = ROOT / "tests" / "stand_ins" / "wrong_clock"
NOON = 1_704_456_000_000
SYMBOL = "XAUUSD"


@dataclass
class Line:
    """A TCP proxy between connector and gateway."""

    target: int
    port: int = 0
    runs: asyncio.Event = field(default_factory=asyncio.Event)
    writers: set[StreamWriter] = field(default_factory=set)

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.runs.set()
        self.port = server.sockets[0].getsockname()[1]
        return server

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self.writers |= {writer, back}
        with suppress(OSError):
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        self.writers -= {writer, back}

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter) -> None:
        while data := await reader.read(65536):
            await self.runs.wait()
            writer.write(data)
            await writer.drain()
        writer.close()


@dataclass
class Reader:
    """Reads the stream as the pipeline does, and remembers its position in the ledger's file."""

    redis: "Redis"
    home: Path
    ticks: list[Tick] = field(default_factory=list)
    doubted: int = 0
    _after: str = "0-0"
    _seqs: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        while True:
            with suppress(RedisError):
                self.read()
            await asyncio.sleep(0.05)

    def read(self) -> None:
        found = self.redis.xrange(f"ticks:{SYMBOL}", f"({self._after}", "+", count=200)
        for entry_id, fields in found:
            if b"d" in fields and not self._use(fields):
                return
            self._after = entry_id.decode()
        if found and self.ticks:
            self._remember()

    def _use(self, fields: dict[bytes, bytes]) -> bool:
        run = Ticks.unpack(int(fields[b"f"]), fields[b"d"])
        if run.first_ordinal > len(self.ticks) + 1:
            self.doubted += 1  # Redis was emptied just now, and the connector sends it again
            return False
        self.ticks += list(run.after(len(self.ticks)))
        self._seqs[fields[b"c"].decode()] = int(fields[b"q"])
        return True

    def _remember(self) -> None:
        last = self.ticks[-1]
        mark = {"ordinal": last.ordinal, "time_ms": last.time_ms, "bid": last.bid}
        writing = self.home / "writing.json"
        writing.write_text(json.dumps({**mark, "seqs": self._seqs}))
        writing.replace(self.home / f"{SYMBOL}.json")


class Chaos:
    """The processes, and the faults that befall them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        make_certificate(home)
        self.port = ports.choose_free()
        self.store = valkey.start(home=home / "valkey", log=home / "valkey.log", password="chaos")
        self.redis = Redis.from_url(self.store.url)
        self.reader = Reader(self.redis, home)
        self.line = Line(self.port)
        self.gateway = self._gateway()
        self.connector: subprocess.Popen[bytes] | None = None
        self.faults: list[str] = []

    def _gateway(self, clock_offset_s: int = 0) -> "subprocess.Popen[bytes]":
        module = "tests.signals_app.gateway.standing"
        arguments = [str(self.home), self.store.url, str(self.port)]
        return self._run("gateway", "-m", module, *arguments, clock_offset_s=clock_offset_s)

    def connect(self, path: Path, speed: float, clock_offset_s: int = 0) -> None:
        self.connector = self._run(
            "connector",
            *("-m", "mt5_bridge", "--source", "replay", "--file", str(path)),
            *("--symbol", SYMBOL, "--speed", str(speed), "--exit-when-done"),
            *("--url", f"wss://localhost:{self.line.port}/ws/v1/ticks"),
            *("--cafile", str(self.home / "cert.pem"), "--token", token()),
            *("--spool", str(self.home / "spool")),
            clock_offset_s=clock_offset_s,
        )

    def _run(
        self, name: str, *arguments: str, clock_offset_s: int = 0
    ) -> "subprocess.Popen[bytes]":
        clock = {"PYTHONPATH": str(WRONG_CLOCK), "CLOCK_OFFSET_S": str(clock_offset_s)}
        with (self.home / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=os.environ | clock,
                stderr=log,
                stdout=log,
            )

    async def strike(self, fault: str, path: Path, speed: float) -> None:
        self.faults.append(fault)
        match fault:
            case "kill connector":
                self._reconnect(path, speed)
            case "kill gateway":
                self.gateway.kill()
                self.gateway.wait()
                self.gateway = self._gateway()
            case "kill redis":
                os.kill(self.store.server.pid, signal.SIGKILL)
                self.store.server.wait()
                await asyncio.sleep(0.1)
                self.store = replace(self.store, server=self.store.program.start(None))
            case "empty redis":
                with suppress(RedisError):
                    self.redis.flushall()
            case "connector's clock goes back":
                self._reconnect(path, speed, clock_offset_s=-6 * 3600)
            case "connector's clock goes ahead":
                self._reconnect(path, speed, clock_offset_s=6 * 3600)
            case "gateway's clock goes ahead":
                self.gateway.kill()
                self.gateway.wait()
                self.gateway = self._gateway(clock_offset_s=1200)
            case "cut line":
                self.line.cut()
            case "stall line":
                self.line.runs.clear()
                await asyncio.sleep(1.0)
                self.line.runs.set()
            case _:
                raise ValueError(fault)

    def _reconnect(self, path: Path, speed: float, clock_offset_s: int = 0) -> None:
        assert self.connector is not None
        self.connector.kill()
        self.connector.wait()
        self.connect(path, speed, clock_offset_s)

    def stop(self) -> None:
        for process in (self.connector, self.gateway):
            if process is not None:
                process.kill()
                process.wait()
        valkey.stop(self.store.server)
        self.redis.close()


FAULTS = (
    "kill connector",
    "kill gateway",
    "kill redis",
    "empty redis",
    "cut line",
    "stall line",
    "connector's clock goes back",
    "connector's clock goes ahead",
    "gateway's clock goes ahead",
)


def tick_file(home: Path, count: int) -> Path:
    """Write a tick every 100 ms, several sharing a millisecond, some going back a little."""
    random_ = random.Random(7)
    path, bid, lines = home / "ticks.csv", 2000.0, ["timestamp_ms,bid,ask"]
    for n in range(count):
        bid = round(bid + random_.choice((-0.02, -0.01, 0.0, 0.01, 0.02)), 2)
        at = NOON + 100 * (n - n % 3) - random_.choice((0, 0, 0, 40))
        lines.append(f"{at},{bid:.2f},{bid + 0.3:.2f}")
    path.write_text("\n".join(lines) + "\n")
    return path


async def _withstand(home: Path, faults: list[str], ticks: int, seconds: float) -> None:
    path = tick_file(home, ticks)
    expected = [tick for run in offline.read_ticks(path, symbol=SYMBOL) for tick in run]
    speed = ticks * 0.1 / seconds
    chaos = Chaos(home)
    line = await chaos.line.start()
    reading = asyncio.create_task(chaos.reader.run())
    try:
        chaos.connect(path, speed)
        await asyncio.sleep(1.5)
        for fault in faults:
            await chaos.strike(fault, path, speed)
            await asyncio.sleep(seconds / (len(faults) + 1))
        assert chaos.connector is not None
        async with asyncio.timeout(90):
            # A fault may have come after the last tick; what was lost then is sent again.
            while len(chaos.reader.ticks) < len(expected):
                assert not reading.done(), reading.result()
                if chaos.connector.poll() is not None:
                    chaos.connect(path, speed)
                await asyncio.sleep(0.2)
    finally:
        reading.cancel()
        chaos.line.cut()
        line.close()
        chaos.stop()
        await asyncio.sleep(0.05)
    assert chaos.reader.ticks == expected


async def test_faults_of_every_kind_lose_and_double_no_tick(tmp_path: Path) -> None:
    faults = list(FAULTS)
    random.Random(3).shuffle(faults)
    await _withstand(tmp_path, faults, ticks=12_000, seconds=12)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
async def test_many_faults_lose_and_double_no_tick(tmp_path: Path, seed: int) -> None:
    faults = random.Random(seed).choices(FAULTS, k=25)
    await _withstand(tmp_path, faults, ticks=60_000, seconds=60)
