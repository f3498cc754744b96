"""Faults of every kind between a market and its candles: no tick lost, none twice.

Two connectors are on the same market, whose ticks are of this very moment. They, the gateway and
Redis are processes of their own and are killed; the lines run through proxies that cut and stall
them; Redis is emptied; clocks go wrong. The pipeline's own code reads the stream and commits its
position to PostgreSQL. In the end the candles are those of the undisturbed ticks.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from pytest_django import Settings
from redis import Redis, RedisError

from goldtrader.stack.servers import valkey
from mt5_bridge.protocol.wire import Role
from signals_app.market import aggregation, calendar
from signals_app.market.candle import Candle, Timeframe
from signals_app.market.tick import Tick, Ticks
from signals_app.models import Connector, ConnectorEvent, Decision, PriceCandle, StreamPosition
from signals_app.pipeline import candles, stream
from signals_app.pipeline.ports import replaced
from tests.certificates import make_certificate
from tests.paths import ROOT
from tests.ports import free_port
from tests.signals_app.gateway.conftest import token
from tests.signals_app.gateway.line import Line
from tests.signals_app.gateway.market import SYMBOL, Market
from tests.signals_app.pipeline.book import FakeBook

WRONG_CLOCK = ROOT / "tests" / "stand_ins" / "wrong_clock"
NAMES = ("mt5-a", "mt5-b")
# Longer than the timeouts that `gateway_process` and the link have.
GIVEN_UP_AFTER = 4.5
ROLE_LOST_AFTER = 2.5

pytestmark = pytest.mark.django_db(transaction=True)


class Pipeline(threading.Thread):
    """Builds candles as the workers do, and decides each close when the next one has come.

    So Redis always has to get back more than what no candle was built from yet.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.used: list[Tick] = []
        self.failure: Exception | None = None
        self._stopping = threading.Event()

    def consume(self, symbol: str, ticks: Ticks) -> None:
        """Note ticks once they are committed."""
        transaction.on_commit(lambda: self.used.extend(ticks))

    def run(self) -> None:
        try:
            while not self._stopping.wait(0.05):
                # Redis is away, or was emptied just now and is being filled again.
                with suppress(RedisError, stream.TicksMissing):
                    while candles.build_batch(SYMBOL):
                        self._decide()
        except Exception as failure:
            self.failure = failure
        finally:
            connection.close()

    async def reaches(self, count: int, *, within: float) -> bool:
        """Wait until so many ticks are used, for ``within`` seconds; return whether they are."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while len(self.used) < count and self.failure is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)  # the ticks come from another thread
        return len(self.used) >= count

    def stop(self) -> None:
        self._stopping.set()
        self.join()

    def _decide(self) -> None:
        decided = list(Decision.objects.open(SYMBOL).values_list("pk", flat=True))[:-1]
        Decision.objects.filter(pk__in=decided).update(outcome=Decision.Outcome.BELOW)


class Chaos:
    """The processes, and the faults that befall them."""

    def __init__(self, home: Path, store: valkey.Valkey) -> None:
        self.home = home
        make_certificate(home)
        self.port = free_port()
        self.store = store
        self.redis = Redis.from_url(store.url)
        self.lines = {name: Line(self.port) for name in NAMES}
        self.connectors: dict[str, subprocess.Popen[bytes]] = {}
        self._start_gateway()

    def _start_gateway(self, clock_offset_s: int = 0) -> None:
        arguments = (str(self.home), self.store.url, str(self.port))
        self.gateway = self._run("gateway_process", *arguments, clock_offset_s=clock_offset_s)

    def connect(self, name: str, clock_offset_s: int = 0) -> None:
        self.connectors[name] = self._run(
            "connector_process",
            *(str(self.home), name, f"wss://localhost:{self.lines[name].port}/ws/v1/ticks"),
            token(name, SYMBOL),
            clock_offset_s=clock_offset_s,
        )

    def _run(
        self, module: str, *arguments: str, clock_offset_s: int = 0
    ) -> "subprocess.Popen[bytes]":
        database = urlsplit(os.environ["DATABASE_URL"])
        of_tests = database._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        changes = {
            "PYTHONPATH": str(WRONG_CLOCK),
            "CLOCK_OFFSET_S": str(clock_offset_s),
            "DJANGO_SETTINGS_MODULE": "goldtrader.settings",
            "DATABASE_URL": of_tests,
        }
        with (self.home / f"{module}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"tests.signals_app.gateway.{module}", *arguments],
                cwd=ROOT,
                env=os.environ | changes,
                stderr=log,
                stdout=log,
            )

    async def strike(self, fault: str) -> None:
        match fault:
            case "kill active connector":
                self._reconnect(self._active())
            case "kill gateway":
                self._restart_gateway()
            case "kill redis":
                os.kill(self.store.server.pid, signal.SIGKILL)
                self.store.server.wait()
                await asyncio.sleep(0.1)
                self.store = replace(self.store, server=self.store.program.start(None))
            case "empty redis":
                self._empty_redis()
            case "active connector stays away":
                await self._away(self._active(), ROLE_LOST_AFTER)
            case "redis is empty, and the active connector stays away":
                name = self._active()
                self._empty_redis()
                await self._away(name, ROLE_LOST_AFTER)
            case "redis is emptied where a standby has just taken over":
                name = self._active()
                self._kill(name)
                await asyncio.sleep(ROLE_LOST_AFTER)
                self._empty_redis()
                self.connect(name)
            case "cut line":
                self.lines[self._active()].cut()
            case "stall line":
                line = self.lines[self._active()]
                line.runs.clear()
                await asyncio.sleep(GIVEN_UP_AFTER)
                line.runs.set()
            case "connector's clock goes back":
                self._reconnect(self._active(), clock_offset_s=-6 * 3600)
            case "connector's clock goes ahead":
                self._reconnect(self._active(), clock_offset_s=6 * 3600)
            case "gateway's clock goes ahead":
                self._restart_gateway(clock_offset_s=1200)
            case _:
                raise ValueError(fault)

    def _active(self) -> str:
        with suppress(RedisError):
            found = self.redis.hget(f"ticks:{SYMBOL}:state", "active")
            if found:
                return found.decode()
        return NAMES[0]

    def _empty_redis(self) -> None:
        with suppress(RedisError):
            self.redis.flushall()

    def _kill(self, name: str) -> None:
        self.connectors[name].kill()
        self.connectors[name].wait()

    def _reconnect(self, name: str, clock_offset_s: int = 0) -> None:
        self._kill(name)
        self.connect(name, clock_offset_s)

    async def _away(self, name: str, seconds: float) -> None:
        self._kill(name)
        await asyncio.sleep(seconds)
        self.connect(name)

    def _restart_gateway(self, clock_offset_s: int = 0) -> None:
        self.gateway.kill()
        self.gateway.wait()
        self._start_gateway(clock_offset_s)

    def stop(self) -> None:
        for process in (*self.connectors.values(), self.gateway):
            process.kill()
            process.wait()
        self.redis.close()


FAULTS = (
    "kill active connector",
    "kill gateway",
    "kill redis",
    "empty redis",
    "active connector stays away",
    "redis is empty, and the active connector stays away",
    "redis is emptied where a standby has just taken over",
    "cut line",
    "stall line",
    "connector's clock goes back",
    "connector's clock goes ahead",
    "gateway's clock goes ahead",
)


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    """A pipeline that is not started yet, and whose ticks move nothing but candles."""
    made = Pipeline()
    with replaced(FakeBook(on_ticks=made.consume)):
        yield made


@pytest.fixture
def chaos(tmp_path: Path, settings: Settings) -> Iterator[Chaos]:
    """A gateway, on a Redis of its own, and two connectors that are not started yet."""
    for name in NAMES:
        Connector.objects.create(name=name, symbols=[SYMBOL])
    store = valkey.start(home=tmp_path / "valkey", log=tmp_path / "valkey.log", password="chaos")
    settings.REDIS_URL = store.url
    stream.connection.cache_clear()
    made = Chaos(tmp_path, store)
    yield made
    made.stop()
    valkey.stop(made.store.server)
    stream.connection.cache_clear()


async def _befall(chaos: Chaos, pipeline: Pipeline, faults: list[str], seconds: float) -> None:
    """Let the faults befall a market that lasts about so many seconds; return when all is used."""
    market = Market.made_up(hours=9, catching_up=seconds / 2, live=seconds / 2)
    market.write(chaos.home / "market.npz")
    servers = [await line.start() for line in chaos.lines.values()]
    try:
        for name in NAMES:
            chaos.connect(name)
        for fault in faults:
            # Mostly it strikes where ticks flow again and a standby is there to take over. On a
            # slow machine a gateway or a connector may take ten seconds to start.
            await pipeline.reaches(len(pipeline.used) + 1, within=6)
            await asyncio.to_thread(_wait_for_both_connectors, seconds=15)
            await chaos.strike(fault)
        await pipeline.reaches(len(market.quotes), within=seconds + 60)
    finally:
        for line in chaos.lines.values():
            line.cut()
        for server in servers:
            server.close()
        chaos.stop()
        await asyncio.sleep(0.05)


def _wait_for_both_connectors(seconds: float) -> None:
    """Wait until the gateway sees both, in different roles; for so many seconds at most."""
    Connector.objects.update(roles={})
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            if {row.roles.get(SYMBOL) for row in Connector.objects.all()} == set(Role):
                return
            time.sleep(0.1)
    finally:
        connection.close()


def _withstand(chaos: Chaos, pipeline: Pipeline, faults: list[str], seconds: float) -> None:
    pipeline.start()
    try:
        asyncio.run(_befall(chaos, pipeline, faults, seconds))
    finally:
        pipeline.stop()
    if pipeline.failure is not None:
        raise pipeline.failure
    quotes = Market.read(chaos.home / "market.npz").quotes
    undisturbed = Ticks(1, quotes.time_ms, quotes.bid, quotes.ask)
    assert pipeline.used == list(undisturbed)
    position = StreamPosition.objects.get(instrument=SYMBOL)
    assert position.ordinal == len(undisturbed)
    forming, closed = aggregation.aggregate({}, undisturbed)
    _, closed_by_watermark = aggregation.close_until(forming, position.watermark_ms)
    expected = {(each.timeframe, each.candle) for each in closed + closed_by_watermark}
    assert _candles() == expected
    assert len({candle for timeframe, candle in expected if timeframe is Timeframe.M15}) >= 30
    assert Timeframe.H4 in {timeframe for timeframe, _ in expected}


def _candles() -> set[tuple[Timeframe, Candle]]:
    return {
        (
            Timeframe(row.timeframe),
            Candle(
                calendar.milliseconds(row.timestamp),
                *map(float, (row.open, row.high, row.low, row.close, row.volume)),
            ),
        )
        for row in PriceCandle.objects.all()
    }


def test_faults_of_every_kind_lose_and_double_no_tick(chaos: Chaos, pipeline: Pipeline) -> None:
    faults = list(FAULTS)
    random.Random(3).shuffle(faults)
    _withstand(chaos, pipeline, faults, seconds=45)
    assert ConnectorEvent.objects.filter(code="PROMOTED").exists()
    logged = (chaos.home / "connector_process.log").read_text()
    assert "the server has been silent for too long" in logged
    assert "this machine's clock is" in logged


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_many_faults_lose_and_double_no_tick(chaos: Chaos, pipeline: Pipeline, seed: int) -> None:
    choose = random.Random(seed)
    faults = [*FAULTS, *choose.choices(FAULTS, k=14)]
    choose.shuffle(faults)
    _withstand(chaos, pipeline, faults, seconds=100)
