"""A client in another language, written from the wire reference alone, streams and survives.

`tests/stand_ins/wire_client.mjs` knows of the gateway what docs/reference/wire.md says. It talks to
a web server and a gateway in processes of their own, on a real Redis and a real PostgreSQL, and
the pipeline's own code reads what it sent.
"""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from redis import Redis

from goldtrader.models import ApiKey
from goldtrader.stack.servers import valkey
from signals_app.market.tick import Tick
from signals_app.models import Connector, ConnectorEvent, PriceCandle
from signals_app.pipeline import candles, stream
from signals_app.pipeline.ports import replaced
from tests.callers import API, caller
from tests.certificates import make_certificate
from tests.docs.pages import REFERENCE
from tests.paths import ROOT
from tests.ports import free_port
from tests.signals_app.gateway.conftest import KEYS, watermarks
from tests.signals_app.gateway.line import Line
from tests.signals_app.pipeline.book import FakeBook
from tests.stand_ins.wire_client import Row, WireClient

GOLD = "XAUUSD"
NOON = 1_704_456_000_000
QUARTER_MS = 900_000

pytestmark = pytest.mark.django_db(transaction=True)


def ticks(count: int, *, going_back: bool = False) -> list[Row]:
    """Return ticks of which three share a millisecond and some are equal.

    Where some go back, several in a row do: one is the last that was stored, and more follow.
    """
    return [
        [
            NOON + 40 * (n // 3) - 900 * (going_back and n % 50 < 10),
            2000 + n // 2 % 90 / 100,
            2001.5,
        ]
        for n in range(count)
    ]


def as_stored(rows: Sequence[Row]) -> list[Tick]:
    """Return what comes of them: a tick that goes back gets the time of the newest one."""
    times = accumulate((int(row[0]) for row in rows), max)
    return [
        Tick(ordinal, time_ms, bid, ask)
        for ordinal, (time_ms, (_, bid, ask)) in enumerate(zip(times, rows, strict=True), 1)
    ]


class Server:
    """A gateway on a Redis of its own, and the line to it."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        make_certificate(home)
        self.certificate = home / "cert.pem"
        self.store = valkey.start(home=home / "valkey", log=home / "valkey.log", password="wire")
        self.redis = Redis.from_url(self.store.url)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._line = Line(self.port)
        asyncio.run_coroutine_threadsafe(self._line.start(), self._loop).result()
        self.start_gateway()

    @property
    def address(self) -> str:
        return f"wss://localhost:{self._line.port}/ws/v1/ticks"

    def start_gateway(self) -> None:
        database = urlsplit(os.environ["DATABASE_URL"])
        of_tests = database._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        changes = {"DJANGO_SETTINGS_MODULE": "goldtrader.settings", "DATABASE_URL": of_tests}
        arguments = (str(self.home), self.store.url, str(self.port))
        with (self.home / "gateway.log").open("ab") as log:
            self._gateway = subprocess.Popen(
                (sys.executable, "-m", "tests.signals_app.gateway.gateway_process", *arguments),
                cwd=ROOT,
                env=os.environ | changes,
                stderr=log,
                stdout=log,
            )
        for _ in range(1200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self.home / "gateway.log").read_text())

    def end_gateway(self, by: signal.Signals) -> None:
        self._gateway.send_signal(by)
        self._gateway.wait()

    def end_redis(self) -> None:
        self.store.server.kill()
        self.store.server.wait()

    def start_redis(self) -> None:
        self.store = replace(self.store, server=self.store.program.start(None))

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._line.cut)

    def stall(self) -> None:
        self._loop.call_soon_threadsafe(self._line.runs.clear)

    def flow(self) -> None:
        self._loop.call_soon_threadsafe(self._line.runs.set)

    def stop(self) -> None:
        self.end_gateway(signal.SIGKILL)
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.redis.close()
        valkey.stop(self.store.server)


class Pipeline:
    """What the pipeline reads of the stream and commits."""

    def __init__(self) -> None:
        self.used: list[Tick] = []
        self._book = FakeBook(on_ticks=lambda _symbol, ticks: self.used.extend(ticks))

    def read(self) -> list[Tick]:
        """Read what is new; return all that ever was read."""
        with replaced(self._book):
            while candles.build_batch(GOLD):
                pass
        return self.used


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Server]:
    """A gateway that gives up after 3 s where others take 90, so that tests are short."""
    made = Server(tmp_path_factory.mktemp("gateway"))
    yield made
    made.stop()


@pytest.fixture
def pipeline(server: Server, settings: Settings) -> Iterator[Pipeline]:
    server.redis.flushall()
    settings.REDIS_URL = server.store.url
    stream.connection.cache_clear()
    yield Pipeline()
    stream.connection.cache_clear()


@pytest.fixture
def connect(
    server: Server, live_server: LiveServer, settings: Settings, tmp_path: Path
) -> Iterator[Callable[..., WireClient]]:
    """Starts clients, each with a key of its own, and ends them after the test."""
    settings.CONNECTOR_JWT_KEYS = ",".join(f"{kid}:{key}" for kid, key in KEYS.secrets.items())
    started: list[WireClient] = []

    def start(name: str, **changes: object) -> WireClient:
        _, key = ApiKey.objects.create_key(name=name, scope="connector", symbols=[GOLD])
        config = {
            "tokenAddress": f"{live_server.url}/api/v1/connectors/token",
            "key": key,
            "gateway": server.address,
            "name": name,
            "symbols": [GOLD],
            "spool": str(tmp_path / f"{name}.spool"),
            "longestPauseMs": 2000,
        }
        started.append(WireClient(tmp_path, server.certificate, **(config | changes)))
        return started[-1]

    yield start
    for client in started:
        client.kill()


def test_a_client_streams_ticks_one_by_one_and_in_batches(
    connect: Callable[..., WireClient], pipeline: Pipeline
) -> None:
    rows = ticks(2600, going_back=True)
    client = connect("mt5-node")
    client.receives(type="auth_ok")
    client.give_ticks(GOLD, rows[:300])
    client.give_ticks(GOLD, rows[300:], at_once=1150)
    client.finish()

    assert pipeline.read() == as_stored(rows)
    sent = [event["sent"] for event in client.events if "sent" in event]
    assert {"tick", "ticks"} <= {each["type"] for each in sent}
    acknowledged = [ack["seq"] for ack in client.messages("ack")]
    assert acknowledged == sorted(acknowledged)
    assert acknowledged[-1] == 2600


def test_a_client_is_answered_as_the_page_says(
    connect: Callable[..., WireClient], pipeline: Pipeline, server: Server
) -> None:
    before = {"M15": QUARTER_MS, "H1": 4 * QUARTER_MS, "H4": 16 * QUARTER_MS}
    client = connect(
        "mt5-history",
        history=[
            {"symbol": GOLD, "timeframe": each, "rows": [[NOON - length, 1999, 2001, 1998, 2000]]}
            for each, length in before.items()
        ],
        renewMs=1000,
    )
    rows = ticks(3)
    client.give_ticks(GOLD, [*rows, [NOON + 90, 2000.0, 1999.0]], at_once=4)
    assert "seq 4" in client.receives(type="error", code="BAD_TICK", symbol=GOLD)["message"]
    client.receives(type="ack", symbol=GOLD, seq=4)
    assert {each["timeframe"] for each in client.messages("history_ack")} == set(before)
    assert PriceCandle.objects.filter(instrument=GOLD).count() == 3

    client.give(watermark={GOLD: NOON + QUARTER_MS})
    client.give(report={"code": "MT5_DISCONNECTED", "message": "the terminal is gone"})
    for text in ("no JSON", '{"type":"tick"}', '{"type":"of another version"}'):
        known = len(client.events)
        client.give(text=text)
        client.receives(type="error", code="BAD_MESSAGE", after=known)
    known = len(client.events)
    client.give(watermark={GOLD: NOON + QUARTER_MS})
    client.receives(type="heartbeat_ack", after=known)
    assert watermarks(server.redis) == [NOON + QUARTER_MS]
    assert pipeline.read() == as_stored(rows)
    assert PriceCandle.objects.filter(instrument=GOLD, timestamp__gte="2024-01-05T12:00Z").exists()

    # The answer to a renewed token, on the open connection.
    client.receives(type="auth_ok", resume={GOLD: {"seq": 4, "time": rows[-1][0]}})
    client.finish()
    assert not {4400, 4401} & set(client.closes())
    assert ConnectorEvent.objects.get(code="MT5_DISCONNECTED").message == "the terminal is gone"


def _kill_gateway(server: Server, client: WireClient) -> int:
    server.end_gateway(signal.SIGKILL)
    server.start_gateway()
    return 1006


def _cut_line(server: Server, client: WireClient) -> int:
    server.cut()
    return 1006


def _stall_line(server: Server, client: WireClient) -> int:
    server.stall()
    client.wait_for(lambda event: "closed" in event)
    server.flow()
    return 1006


def _empty_redis(server: Server, client: WireClient) -> int:
    server.redis.flushall()
    return 1013


def _take_redis_away(server: Server, client: WireClient) -> int:
    server.end_redis()
    server.cut()
    known = len(client.events)
    client.wait_for(
        lambda event: event.get("closed") == 1013 and event["pause"] > 1000, after=known
    )
    server.start_redis()
    return 1013


@pytest.mark.parametrize(
    "fault",
    [_kill_gateway, _cut_line, _stall_line, _empty_redis, _take_redis_away],
)
def test_a_client_goes_on_after(
    fault: Callable[[Server, WireClient], int],
    connect: Callable[..., WireClient],
    server: Server,
    pipeline: Pipeline,
) -> None:
    rows = ticks(5000, going_back=True)
    client = connect(f"mt5{fault.__name__}")
    client.give_ticks(GOLD, rows[:1000], at_once=100)
    client.receives(type="ack", seq=1000)
    assert pipeline.read() == as_stored(rows[:1000])

    client.give_ticks(GOLD, rows[1000:4000])
    client.wait_for(lambda event: event.get("got", {}).get("seq", 0) > 1000)
    code = fault(server, client)
    client.give_ticks(GOLD, rows[4000:])
    client.finish()

    assert pipeline.read() == as_stored(rows)
    assert code in client.closes()


def test_a_killed_client_goes_on_with_its_spool(
    connect: Callable[..., WireClient], pipeline: Pipeline
) -> None:
    rows = ticks(5000)
    client = connect("mt5-killed")
    client.give_ticks(GOLD, rows, at_once=3)
    client.wait_for(lambda event: event.get("got", {}).get("seq", 0) > 100)
    client.kill()
    again = connect("mt5-killed")
    again.finish()

    kept = len(pipeline.read())
    assert kept > 100
    assert pipeline.used == as_stored(rows[:kept])


def test_a_client_goes_on_among_ticks_that_go_back(
    connect: Callable[..., WireClient], pipeline: Pipeline, server: Server
) -> None:
    rows = [[NOON + 500, 2000.0, 2000.3], *([NOON + n, 2000.1, 2000.4] for n in (300, 100, 200))]
    client = connect("mt5-back")
    client.give_ticks(GOLD, rows[:2])
    client.receives(type="ack", seq=2)
    server.cut()
    client.give_ticks(GOLD, rows[2:])
    client.finish()

    assert client.messages("auth_ok")[-1]["resume"][GOLD] == {"seq": 2, "time": NOON + 500}
    assert pipeline.read() == as_stored(rows)


def test_a_client_with_a_new_spool_waits_for_the_one_that_has_its_name(
    connect: Callable[..., WireClient], pipeline: Pipeline, tmp_path: Path
) -> None:
    rows = ticks(4000)
    first = connect("mt5-twice")
    first.give_ticks(GOLD, rows[:1999])
    first.receives(type="ack", seq=1999)
    second = connect("mt5-twice", spool=str(tmp_path / "another.spool"))
    second.give_ticks(GOLD, rows, at_once=7)
    second.receives(type="error", code="NAME_IN_USE")
    second.wait_for(lambda event: event.get("closed") == 4409)
    first.receives(type="error", code="NAME_IN_USE")
    first.finish()
    second.finish()

    assert pipeline.read() == as_stored(rows)
    assert second.messages("auth_ok")[0]["resume"][GOLD] == {"seq": 1999, "time": rows[1998][0]}


def test_a_standby_is_promoted_and_sends_what_is_missing(
    connect: Callable[..., WireClient], pipeline: Pipeline
) -> None:
    rows = ticks(5000)
    active = connect("mt5-a")
    active.receives(type="auth_ok", role={GOLD: "active"})
    standby = connect("mt5-b")
    standby.receives(type="auth_ok", role={GOLD: "standby"})
    standby.give_ticks(GOLD, rows[:4000], at_once=50)
    active.give_ticks(GOLD, rows[:1700])
    active.wait_for(lambda event: event.get("got", {}).get("seq", 0) > 500)
    active.kill()
    standby.receives(type="auth_ok", role={GOLD: "active"})
    standby.receives(type="ack")

    back = connect("mt5-a")
    back.receives(type="auth_ok", role={GOLD: "standby"})
    back.give_ticks(GOLD, rows[1700:], at_once=90)
    standby.finish()
    back.receives(type="auth_ok", role={GOLD: "active"})
    back.finish()

    assert pipeline.read() == as_stored(rows)
    promoted = ConnectorEvent.objects.filter(code="PROMOTED")
    assert set(promoted.values_list("connector", flat=True)) == {"mt5-a", "mt5-b"}


def test_a_revoked_client_is_closed_and_stops(
    connect: Callable[..., WireClient], pipeline: Pipeline
) -> None:
    client = connect("mt5-revoked")
    client.receives(type="auth_ok")
    Connector.objects.update(is_revoked=True)
    assert client.stops() == "The connector mt5-revoked is revoked."
    client.receives(type="error", code="AUTH_FAILED")
    assert 4401 in client.closes()


def test_the_request_for_a_token_is_answered_as_printed() -> None:
    page = (REFERENCE / "wire.md").read_text(encoding="utf-8")
    request, answer = re.findall(r"^```http\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[:2]
    (method, address, _), body = request.split("\n")[0].split(), request.partition("\n\n")[2]
    wanted, printed = json.loads(body), json.loads(answer.partition("\n\n")[2])
    given = caller("connector", wanted["name"], wanted["symbols"]).post(
        address, body, content_type="application/json"
    )

    assert (method, address) == ("POST", f"{API}/connectors/token")
    assert f" {given.status_code} " in answer
    assert given.json().keys() == printed.keys()
