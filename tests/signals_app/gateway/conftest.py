"""A gateway in the test's own event loop, on the session's Redis, and connectors to it."""

import asyncio
import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from websockets.asyncio.client import ClientConnection, connect

from mt5_bridge.protocol.wire import CandleRow, Role
from signals_app.connector_permits import Permit
from signals_app.gateway import tokens
from signals_app.gateway.availability import DatabaseUnavailable
from signals_app.gateway.server import Gateway, GatewayOptions
from signals_app.gateway.stream_state import Checkpoint
from signals_app.gateway.tokens import Claims, SigningKeys
from signals_app.market.candle import Timeframe
from signals_app.market.tick import Ticks
from tests.certificates import make_certificate

KEYS = SigningKeys({"new": "n" * 40, "old": "o" * 40})


@dataclass
class MemoryDatabase:
    """A database without a database: every connector is known unless revoked.

    `ceilings` holds the symbols of connectors that may not send all of their tokens'.
    """

    revoked: set[str] = field(default_factory=set)
    revoked_keys: set[str] = field(default_factory=set)
    ceilings: dict[str, set[str]] = field(default_factory=dict)
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    history: list[tuple[str, Timeframe, int]] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    events: list[tuple[str, str, str, str]] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    present: dict[str, Mapping[str, Role]] = field(default_factory=dict)
    is_down: bool = False
    fault: Exception | None = None

    def permits(self, tokens: Sequence[Claims]) -> Sequence[Permit]:
        self._answer()
        return [self._permit(each) for each in tokens]

    def other_spellings(self, symbols: Collection[str]) -> Mapping[str, str]:
        self._answer()
        return {symbol: symbol.upper() for symbol in symbols if symbol == "xauusd"}

    def checkpoint(self, symbol: str) -> Checkpoint | None:
        self._answer()
        return self.checkpoints.get(symbol)

    def store_history(self, symbol: str, timeframe: Timeframe, rows: Sequence[CandleRow]) -> int:
        self._answer()
        self.history.append((symbol, timeframe, len(rows)))
        return len(rows)

    def wake(self, symbol: str) -> None:
        self._answer()
        self.woken.append(symbol)

    def record(self, connector: str, code: str, symbol: str, message: str, times: int = 1) -> None:
        self._answer()
        self.times.append(times)
        self.events.append((connector, code, symbol, message))

    def record_presence(self, roles: Mapping[str, Mapping[str, Role]]) -> None:
        self._answer()
        self.present.update(roles)

    def _permit(self, claims: Claims) -> Permit:
        if claims.connector in self.revoked:
            return Permit("the connector is revoked")
        if claims.key in self.revoked_keys:
            return Permit("the API key of the token is revoked or has expired")
        return Permit("", frozenset(self.ceilings.get(claims.connector, claims.symbols)))

    def _answer(self) -> None:
        if self.fault is not None:
            raise self.fault
        if self.is_down:
            raise DatabaseUnavailable("the database is down")


@dataclass
class Peer:
    """A peer of the gateway that says exactly what the test wants."""

    socket: ClientConnection
    errors: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def receive(self, kind: str, within: float = 5.0) -> dict[str, Any]:
        """Return the next message of this kind; errors on the way are kept."""
        async with asyncio.timeout(within):
            while True:
                message = json.loads(await self.socket.recv())
                if message["type"] == kind:
                    return message
                if message["type"] == "error":
                    self.errors.append(message)

    async def authenticate(self, token: str, *symbols: str) -> dict[str, Any]:
        await self.send(type="auth", token=token, symbols=list(symbols))
        return await self.receive("auth_ok")

    async def acknowledged(self, seq: int, symbol: str = "XAUUSD") -> None:
        while True:
            ack = await self.receive("ack")
            if ack["symbol"] == symbol and ack["seq"] >= seq:
                return

    async def send_batch(
        self, seq: int | None, rows: Sequence[Sequence[float]], symbol: str = "XAUUSD"
    ) -> None:
        await self.send(type="ticks", symbol=symbol, rows=rows, **({"seq": seq} if seq else {}))

    async def closed(self, within: float = 5.0) -> int:
        """Return the code with which the server closes."""
        async with asyncio.timeout(within):
            try:
                while True:
                    message = json.loads(await self.socket.recv())
                    if message["type"] == "error":
                        self.errors.append(message)
            except Exception:
                assert self.socket.close_code is not None
                return self.socket.close_code


@dataclass
class Harness:
    """Where tests meet a gateway: what it was started with, and how to reach it."""

    options: GatewayOptions
    database: MemoryDatabase
    trusted: ssl.SSLContext
    gateway: Gateway | None = None

    async def start(self, **changes: Any) -> Gateway:
        self.gateway = Gateway(replace(self.options, **changes), self.database)
        await self.gateway.start()
        return self.gateway

    @asynccontextmanager
    async def connect(self, gateway: Gateway | None = None) -> AsyncIterator[Peer]:
        found = gateway or self.gateway
        assert found is not None
        uri = f"wss://localhost:{found.port}/ws/v1/ticks"
        async with connect(uri, ssl=self.trusted, compression=None) as socket:
            yield Peer(socket)


def token(name: str = "mt5-primary", *symbols: str, lifetime: int = 3600, key: str = "") -> str:
    """Return a token that the test gateways accept."""
    allowed = symbols or ("XAUUSD",)
    return tokens.issue(KEYS, name, allowed, now=int(time.time()), lifetime=lifetime, key=key)


def quotes(first_ms: int, count: int, bid: float = 2000.0) -> list[list[float]]:
    """Return rows one second apart, the bid a cent higher each time."""
    return [
        [first_ms + 1000 * n, round(bid + n / 100, 5), round(bid + n / 100 + 0.3, 5)]
        for n in range(count)
    ]


def stored(redis_client: "Redis", symbol: str = "XAUUSD") -> list[tuple[int, int, float, float]]:
    """Return ordinal, time, bid and ask of every tick in the stream; checks the entries' form."""
    found: list[tuple[int, int, float, float]] = []
    for entry_id, fields in redis_client.xrange(f"ticks:{symbol}"):
        if fields[b"n"] == b"0":
            continue
        ticks = Ticks.unpack(int(fields[b"f"]), fields[b"d"])
        assert len(ticks) == int(fields[b"n"])
        assert entry_id.decode() == f"{ticks.last_ordinal}-0"
        found += [(tick.ordinal, tick.time_ms, tick.bid, tick.ask) for tick in ticks]
    assert [tick[0] for tick in found] == list(range(1, len(found) + 1))
    return found


def watermarks(redis_client: "Redis", symbol: str = "XAUUSD") -> list[int]:
    """Return the watermarks in the stream."""
    entries = redis_client.xrange(f"ticks:{symbol}")
    return [int(fields[b"w"]) for _, fields in entries if b"w" in fields]


def client_tls(certificate: Path) -> ssl.SSLContext:
    """Return a client's TLS context that trusts exactly this certificate."""
    return ssl.create_default_context(cafile=certificate)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def harness(certificate: tuple[Path, Path], redis_client: "Redis") -> AsyncIterator[Harness]:
    """A gateway that is not started yet; it is stopped after the test."""
    options = GatewayOptions(
        redis_url=os.environ["REDIS_URL"],
        certificate=certificate[0],
        private_key=certificate[1],
        keys=KEYS,
        port=0,
        watch_interval=0.05,
        revocation_interval=0.1,
        presence_interval=0.2,
        drain_timeout=3.0,
    )
    made = Harness(options, MemoryDatabase(), client_tls(certificate[0]))
    yield made
    if made.gateway is not None:
        await made.gateway.stop()
