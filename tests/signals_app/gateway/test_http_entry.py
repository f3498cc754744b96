"""Connectors that can only post, as a plain client meets the gateway."""

import asyncio
import json
import socket
import time

import pytest
from redis import Redis

from signals_app.gateway import http_session
from signals_app.gateway.lease import LeaseTimeouts
from signals_app.gateway.limits import Limits
from tests.paths import ROOT
from tests.signals_app.gateway.conftest import Harness, quotes, stored, token, watermarks
from tests.signals_app.gateway.plain_client import PlainClient

NOON = 1_704_456_000_000
ROWS = quotes(NOON, 200)


def client(harness: Harness, name: str = "mt5-primary", spool: str = "") -> PlainClient:
    assert harness.gateway is not None
    return PlainClient(harness.gateway.port, harness.trusted, token(name), spool)


def entries(redis_client: "Redis") -> list[dict[bytes, bytes]]:
    """The stream's entries, without the time at which each came."""
    return [
        {name: value for name, value in fields.items() if name != b"r"}
        for _, fields in redis_client.xrange("ticks:XAUUSD")
    ]


async def test_the_stream_is_that_of_a_websocket_byte_for_byte(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    plain = client(harness)
    assert (await asyncio.to_thread(plain.begin))[0] == 200
    assert (plain.role, plain.resume) == ("active", {"seq": 0, "time": None})
    await asyncio.to_thread(plain.deliver, ROWS, 20)
    by_http = entries(redis_client)
    await asyncio.to_thread(lambda: plain.say(close=True))
    assert [row[0] for row in ROWS] == [tick[1] for tick in stored(redis_client)]

    redis_client.flushdb()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        for place in range(0, 200, 20):
            await connector.send_batch(place + 1, ROWS[place : place + 20])
            await connector.acknowledged(place + 20)
    assert entries(redis_client) == by_http
    assert harness.database.woken


async def test_what_is_cut_and_sent_twice_is_stored_once(
    harness: Harness, redis_client: "Redis"
) -> None:
    gateway = await harness.start()
    plain = client(harness, spool="one")

    def stream() -> None:
        plain.begin()
        plain.say(plain.ticks(1, ROWS[:50]))
        assert plain.resume == {"seq": 50, "time": ROWS[49][0]}
        # The answer is lost.
        _send_and_hang_up(gateway.port, plain, ROWS[50:90])
        plain.cut()
        plain.say(plain.ticks(51, ROWS[50:100]))
        assert plain.resume["seq"] == 100
        plain.say(plain.ticks(1, ROWS[:100]), plain.ticks(81, ROWS[80:120]))
        assert plain.resume["seq"] == 120
        # The client forgets its session and begins another.
        plain.begin()
        assert plain.resume == {"seq": 120, "time": ROWS[119][0]}
        plain.deliver(ROWS, 30)

    await asyncio.to_thread(stream)
    assert [tick[1] for tick in stored(redis_client)] == [row[0] for row in ROWS]


def _send_and_hang_up(port: int, plain: PlainClient, rows: list[list[float]]) -> None:
    body = json.dumps({"session": plain.session, "messages": [plain.ticks(51, rows)]}).encode()
    with (
        socket.create_connection(("localhost", port)) as line,
        plain.trusted.wrap_socket(line, server_hostname="localhost") as encrypted,
    ):
        encrypted.sendall(
            b"POST /http/v1/ticks HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Bearer " + plain.token.encode() + b"\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )


async def test_a_restart_of_the_gateway_ends_the_session_and_loses_nothing(
    harness: Harness, redis_client: "Redis"
) -> None:
    first = await harness.start()
    plain = client(harness)
    await asyncio.to_thread(plain.begin)
    await asyncio.to_thread(plain.say, plain.ticks(1, ROWS[:70]))
    await first.stop()
    plain.port = (await harness.start()).port
    plain.cut()
    status, answer = await asyncio.to_thread(plain.say, plain.ticks(71, ROWS[70:]))
    assert (status, answer["error"]["code"]) == (410, "SESSION_ENDED")
    await asyncio.to_thread(plain.begin)
    assert plain.resume["seq"] == 70
    await asyncio.to_thread(plain.deliver, ROWS, 50)
    assert [tick[1] for tick in stored(redis_client)] == [row[0] for row in ROWS]


async def test_history_heartbeats_and_reports_are_those_of_the_wire(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    plain = client(harness)
    await asyncio.to_thread(plain.begin)
    quarter = 900_000
    candle = [NOON - quarter, 2000.0, 2001.0, 1999.0, 2000.5, 812]
    now = "2024-01-05T12:00:00.000Z"
    await asyncio.to_thread(
        plain.say,
        {"type": "history", "symbol": "XAUUSD", "timeframe": "M15", "rows": [candle]},
        plain.ticks(1, [[NOON, 2000.0, 1999.0], *quotes(NOON, 2)]),
        {"type": "heartbeat", "timestamp": now, "watermark": {"XAUUSD": NOON + quarter}},
        {"type": "error", "code": "MT5_DISCONNECTED", "message": "gone", "timestamp": now},
        {"type": "ticks", "symbol": "EURUSD", "rows": [[NOON, 1.1, 1.2]]},
        {"type": "nonsense"},
    )
    assert {message.get("code", message["type"]) for message in plain.told} == {
        "history_ack",
        "BAD_TICK",
        "FORBIDDEN_SYMBOL",
        "BAD_MESSAGE",
    }
    assert plain.resume == {"seq": 3, "time": NOON + 1000}
    assert watermarks(redis_client) == [NOON + quarter]
    assert harness.database.events == [("mt5-primary", "MT5_DISCONNECTED", "", "gone")]


async def test_a_standby_is_promoted_and_resumes(harness: Harness, redis_client: "Redis") -> None:
    await harness.start(
        lease_timeouts=LeaseTimeouts(failover_after_ms=60_000, disconnect_grace_ms=200)
    )
    plain = client(harness, "mt5-b")
    async with harness.connect() as first:
        await first.authenticate(token("mt5-a"), "XAUUSD")
        await first.send_batch(1, ROWS[:5])
        await first.acknowledged(5)
        await asyncio.to_thread(plain.begin)
        assert plain.role == "standby"
        await asyncio.to_thread(plain.say, plain.ticks(1, ROWS[:4]))
        assert plain.told[-1]["code"] == "STANDBY"
    async with asyncio.timeout(5):
        while plain.role == "standby":
            await asyncio.sleep(0.1)
            await asyncio.to_thread(plain.say)
    assert plain.resume == {"seq": 0, "time": NOON + 4000}
    await asyncio.to_thread(plain.say, plain.ticks(5, ROWS[4:10]))
    assert [tick[1] for tick in stored(redis_client)] == [row[0] for row in ROWS[:10]]


async def test_refusals_say_what_to_do(harness: Harness) -> None:
    await harness.start()
    plain, other = client(harness, spool="one"), client(harness, spool="two")

    def refused(**more: object) -> tuple[int, str]:
        status, answer = plain.post(**more)
        return status, answer["error"]["code"]

    def all_of_them() -> None:
        assert refused(body={"symbols": []}) == (400, "BAD_MESSAGE")
        assert refused(body=b"{") == (400, "BAD_MESSAGE")
        assert refused(body=b"[NaN]") == (400, "BAD_MESSAGE")
        assert refused(body={"symbols": ["EURUSD"]}) == (403, "FORBIDDEN_SYMBOL")
        assert refused(body={}, path="/other") == (404, "NOT_FOUND")
        assert refused(body={"session": "x"}) == (410, "SESSION_ENDED")
        assert refused(body={}, Authorization="Bearer a.b.c") == (401, "AUTH_FAILED")
        assert refused(body={}, Authorization="") == (401, "AUTH_FAILED")
        assert plain.begin()[0] == 200
        assert other.begin()[0] == 409
        other.session = plain.session
        other.token = token("mt5-other")
        assert other.say()[0] == 410
        harness.database.revoked.add("mt5-primary")
        time.sleep(0.4)
        status, answer = plain.say()
        assert (status, answer["error"]["code"]) in [(401, "AUTH_FAILED"), (410, "SESSION_ENDED")]

    await asyncio.to_thread(all_of_them)


async def test_a_token_is_renewed_by_showing_the_next(harness: Harness) -> None:
    await harness.start()
    plain = client(harness)
    plain.token = token(lifetime=2)
    await asyncio.to_thread(plain.begin)
    plain.token = token()
    await asyncio.to_thread(plain.say, plain.ticks(1, ROWS[:5]))
    await asyncio.sleep(2.2)
    status, _ = await asyncio.to_thread(plain.say, plain.ticks(6, ROWS[5:9]))
    assert (status, plain.resume["seq"]) == (200, 9)


async def test_silence_and_too_many_requests_end_a_session(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_session, "_REQUESTS_PER_SECOND", 1.0)
    await harness.start(limits=Limits(silence_ms=200))
    plain = client(harness)
    await asyncio.to_thread(plain.begin)
    await asyncio.sleep(0.5)
    assert (await asyncio.to_thread(plain.say))[0] == 410
    await harness.start()
    plain = client(harness)

    def flood() -> set[int]:
        plain.begin()
        return {plain.say()[0] for _ in range(30)}

    assert await asyncio.to_thread(flood) == {200, 429, 410}


async def test_while_a_store_is_away_it_is_asked_to_try_again(harness: Harness) -> None:
    await harness.start()
    plain = client(harness)
    harness.database.is_down = True
    status, answer = await asyncio.to_thread(plain.begin)
    assert (status, answer["error"]["code"]) == (503, "TRY_AGAIN_LATER")
    harness.database.is_down = False
    assert (await asyncio.to_thread(plain.begin))[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        b"POST /http/v1/ticks HTTP/1.1\r\nX: " + b"x" * 20_000,
        b"POST /http/v1/ticks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
        b"POST \0\r\n\r\n",
        b"POST /http/v1/ticks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
async def test_a_stranger_is_answered_and_closed(harness: Harness, head: bytes) -> None:
    gateway = await harness.start()
    reader, writer = await asyncio.open_connection("localhost", gateway.port, ssl=harness.trusted)
    writer.write(head)
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.split()[1] in (b"400", b"401", b"431")
    writer.close()


async def test_a_long_body_is_refused_before_it_is_read(harness: Harness) -> None:
    gateway = await harness.start()
    reader, writer = await asyncio.open_connection("localhost", gateway.port, ssl=harness.trusted)
    writer.write(
        b"POST /http/v1/ticks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n"
        b"Authorization: Bearer " + token().encode() + b"\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.split()[1] == b"413"
    writer.close()


async def test_the_requests_of_the_reference_are_answered_as_printed(harness: Harness) -> None:
    page = (ROOT / "docs" / "reference" / "wire.md").read_text()
    section = page.partition("## Posting instead of a WebSocket")[2].partition("\n## ")[0]
    first, answer, second = (
        json.loads(line) for line in section.splitlines() if line.startswith("{")
    )
    await harness.start()
    plain = client(harness)

    def converse() -> None:
        status, found = plain.post(first)
        assert (status, found.keys()) == (200, answer.keys())
        assert {name: found[name] for name in ("role", "resume", "messages")} == {
            name: answer[name] for name in ("role", "resume", "messages")
        }
        status, found = plain.post(second | {"session": found["session"]})
        assert (status, found["resume"]["XAUUSD"]["seq"]) == (200, 1)

    await asyncio.to_thread(converse)
