"""The gateway as connectors meet it: over TLS, on a real Redis."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import fields, replace
from ipaddress import ip_network

import pytest
from redis import Redis
from websockets.exceptions import InvalidHandshake

from signals_app.gateway import tokens, wakers
from signals_app.gateway.lease import LeaseTimeouts
from signals_app.gateway.limits import Limits
from signals_app.gateway.places import PlaceLimits
from signals_app.gateway.server import CannotServe, GatewayOptions
from signals_app.gateway.stream_state import Checkpoint
from signals_app.gateway.tokens import SigningKeys
from signals_app.market.candle import Timeframe
from tests.signals_app.gateway.conftest import (
    Harness,
    Peer,
    quotes,
    stored,
    token,
    watermarks,
)

NOON = 1_704_456_000_000  # 2024-01-05 12:00 UTC


async def test_a_connector_is_greeted_let_in_and_its_ticks_are_stored(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    async with harness.connect() as connector:
        greeting = await connector.receive("connected")
        assert greeting["protocol"] == 1
        welcome = await connector.authenticate(token(), "XAUUSD")
        assert welcome["connector"] == "mt5-primary"
        assert welcome["role"] == {"XAUUSD": "active"}
        assert welcome["resume"] == {"XAUUSD": {"seq": 0, "time": None}}
        await connector.send_batch(1, quotes(NOON, 3))
        await connector.send(
            type="tick",
            symbol="XAUUSD",
            timestamp="2024-01-05T12:00:03.000Z",
            bid=2000.03,
            ask=2000.33,
            last=2000.1,
            volume=100,
            seq=4,
        )
        await connector.acknowledged(4)
    assert stored(redis_client) == [
        (1, NOON, 2000.0, 2000.3),
        (2, NOON + 1000, 2000.01, 2000.31),
        (3, NOON + 2000, 2000.02, 2000.32),
        (4, NOON + 3000, 2000.03, 2000.33),
    ]
    assert harness.database.woken.count("XAUUSD") >= 1


async def test_what_was_stored_before_is_not_stored_again(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    rows = quotes(NOON, 10)
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.send_batch(1, rows[:6])
        await connector.acknowledged(6)
    async with harness.connect() as connector:
        welcome = await connector.authenticate(token(), "XAUUSD")
        assert welcome["resume"] == {"XAUUSD": {"seq": 6, "time": NOON + 5000}}
        await connector.send_batch(1, rows[:6])
        await connector.send_batch(4, rows[3:8])
        await connector.send_batch(9, rows[8:])
        await connector.acknowledged(10)
    assert [tick[1] for tick in stored(redis_client)] == [row[0] for row in rows]


async def test_the_pipeline_is_woken_at_once_where_a_candle_ends_and_else_now_and_then(
    harness: Harness, redis_client: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakers, "_WATCH_PAUSE", 60.0)
    await harness.start()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        for seq, row in enumerate(quotes(NOON, 5), 1):
            await connector.send_batch(seq, [row])
            await connector.acknowledged(seq)
        # The first tick of all counts as a candle's.
        assert await _woken(harness, 1) == ["XAUUSD"]
        await connector.send_batch(6, quotes(NOON + 900_000, 1))
        await connector.acknowledged(6)
        assert await _woken(harness, 2) == ["XAUUSD", "XAUUSD"]


async def _woken(harness: Harness, times: int) -> list[str]:
    """Return who was woken a moment after it was so many times."""
    for _ in range(500):
        if len(harness.database.woken) >= times:
            break
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    return list(harness.database.woken)


async def test_ticks_without_a_number_are_stored_too(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.send_batch(None, quotes(NOON, 2))
        await connector.send_batch(1, quotes(NOON + 5000, 1))
        await connector.acknowledged(1)
    assert len(stored(redis_client)) == 3


async def test_bad_ticks_are_left_out_and_their_numbers_count_as_handled(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    rows = quotes(NOON, 6)
    rows[1][1] = -1.0
    rows[2][2] = 1990.0
    rows[3][1] = rows[3][2] = 5000.0
    rows[4][0] = NOON - 3_600_000
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.send_batch(1, rows)
        await connector.acknowledged(6)
        await connector.send_batch(7, [[int(time.time() * 1000) + 120_000, 2000.0, 2000.3]])
        await connector.acknowledged(7)
    assert [tick[1] for tick in stored(redis_client)] == [NOON, NOON + 5000]
    assert [error["code"] for error in connector.errors] == ["BAD_TICK"] * len(connector.errors)
    assert connector.errors[0]["symbol"] == "XAUUSD"
    assert "seq 2" in connector.errors[0]["message"]


async def test_a_watermark_is_stored_once_and_only_where_it_ends_a_candle(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    quarter = 900_000
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.send_batch(1, quotes(NOON, 1))
        for watermark in (NOON + 30_000, NOON + quarter, NOON + quarter, NOON + quarter + 30_000):
            await connector.send(
                type="heartbeat",
                timestamp="2024-01-05T12:15:00.000Z",
                watermark={"XAUUSD": watermark},
            )
            await connector.receive("heartbeat_ack")
        await connector.send_batch(2, quotes(NOON + quarter + 60_000, 1))
        await connector.acknowledged(2)
    assert watermarks(redis_client) == [NOON + quarter]


async def test_a_wrong_token_ends_the_connection(harness: Harness) -> None:
    await harness.start()
    async with harness.connect() as connector:
        await connector.send(type="auth", token="nonsense", symbols=["XAUUSD"])
        assert await connector.closed() == 4401
        assert connector.errors[0]["code"] == "AUTH_FAILED"


async def test_a_revoked_connector_is_cut_off_and_not_let_in_again(harness: Harness) -> None:
    await harness.start()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        harness.database.revoked.add("mt5-primary")
        assert await connector.closed() == 4401
        assert connector.errors[-1]["code"] == "AUTH_FAILED"
    async with harness.connect() as connector:
        await connector.send(type="auth", token=token(), symbols=["XAUUSD"])
        assert await connector.closed() == 4401


async def test_a_revoked_key_ends_its_session_and_its_tokens(harness: Harness) -> None:
    await harness.start()
    async with harness.connect() as connector, harness.connect() as other:
        await connector.authenticate(token(key="7f3c"), "XAUUSD")
        await other.authenticate(token("mt5-other", "EURUSD", key="a1b2"), "EURUSD")
        harness.database.revoked_keys.add("7f3c")
        assert await connector.closed() == 4401
        await other.send_batch(1, quotes(NOON, 1), "EURUSD")
        await other.acknowledged(1, "EURUSD")
    async with harness.connect() as connector:
        await connector.send(type="auth", token=token(key="7f3c"), symbols=["XAUUSD"])
        assert await connector.closed() == 4401


def test_what_is_revoked_is_looked_for_well_within_five_seconds() -> None:
    usual = {each.name: each.default for each in fields(GatewayOptions)}
    assert usual["revocation_interval"] <= 2.5


async def test_a_fault_that_nobody_foresaw_ends_no_background_task(harness: Harness) -> None:
    await harness.start(
        lease_timeouts=LeaseTimeouts(failover_after_ms=60_000, disconnect_grace_ms=300)
    )
    async with harness.connect() as second, harness.connect() as third:
        async with harness.connect() as first:
            await first.authenticate(token("mt5-a"), "XAUUSD")
            await second.authenticate(token("mt5-b"), "XAUUSD")
            await third.authenticate(token("mt5-c"), "XAUUSD")
            harness.database.fault = RuntimeError("cached plan must not change result type")
            await asyncio.sleep(0.3)
        # Its role is over before the database's fault is.
        await asyncio.sleep(0.6)
        harness.database.fault = None
        harness.database.revoked.add("mt5-c")
        assert (await second.receive("auth_ok"))["role"] == {"XAUUSD": "active"}
        assert await third.closed() == 4401
        await second.send_batch(1, quotes(NOON, 1))
        await second.acknowledged(1)
        harness.database.woken.clear()
        harness.database.fault = RuntimeError("the broker says something new")
        await second.send_batch(2, quotes(NOON + 1000, 1))
        await second.acknowledged(2)
        harness.database.fault = None
        await asyncio.sleep(1.3)
        assert harness.database.woken == ["XAUUSD"]


async def test_what_happens_while_the_database_is_away_is_written_down_afterwards(
    harness: Harness,
) -> None:
    gateway = await harness.start(
        lease_timeouts=LeaseTimeouts(failover_after_ms=60_000, disconnect_grace_ms=100)
    )
    async with harness.connect() as second:
        async with harness.connect() as first:
            await first.authenticate(token("mt5-a"), "XAUUSD")
            await second.authenticate(token("mt5-b"), "XAUUSD")
            await first.send_batch(1, quotes(NOON, 1))
            await first.acknowledged(1)
            harness.database.is_down = True
        assert (await second.receive("auth_ok"))["role"] == {"XAUUSD": "active"}
        assert harness.database.events == []
        harness.database.is_down = False
        await gateway.stop()
    assert harness.database.events == [("mt5-b", "PROMOTED", "XAUUSD", "active in place of mt5-a")]


def candles(first_ms: int) -> list[list[float]]:
    return [[first_ms + 900_000 * n, 2000.0, 2001.0, 1999.0, 2000.5, 12] for n in range(2)]


async def test_ticks_go_on_while_history_waits_for_the_database(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    history = {"type": "history", "symbol": "XAUUSD", "timeframe": "M15"}
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.send_batch(1, quotes(NOON, 1))
        await connector.acknowledged(1)
        harness.database.is_down = True
        await connector.send(**history, rows=candles(NOON - 3_600_000))
        await connector.send_batch(2, quotes(NOON + 1000, 1))
        await connector.acknowledged(2)
        harness.database.is_down = False
        assert (await connector.receive("history_ack"))["stored"] == 2
    assert harness.database.history == [("XAUUSD", Timeframe.M15, 2)]
    assert len(stored(redis_client)) == 2


async def test_the_first_ticks_of_a_symbol_wait_for_its_history(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    history = {"type": "history", "symbol": "XAUUSD", "timeframe": "M15"}
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        harness.database.is_down = True
        await connector.send(**history, rows=candles(NOON - 3_600_000))
        await connector.send_batch(1, quotes(NOON, 1))
        await asyncio.sleep(0.3)
        assert stored(redis_client) == []
        harness.database.is_down = False
        assert (await connector.receive("history_ack"))["stored"] == 2
        await connector.acknowledged(1)


async def test_who_does_not_say_who_it_is_is_sent_away(harness: Harness) -> None:
    await harness.start(limits=Limits(auth_timeout_ms=100))
    async with harness.connect() as connector:
        assert await connector.closed() == 4401
        assert connector.errors[0]["code"] == "AUTH_TIMEOUT"


async def test_a_token_that_expires_ends_the_connection_unless_it_is_renewed(
    harness: Harness,
) -> None:
    await harness.start()
    async with harness.connect() as renewing, harness.connect() as idle:
        await renewing.authenticate(token(lifetime=2), "XAUUSD")
        await idle.authenticate(token("mt5-other", "EURUSD", lifetime=2), "EURUSD")
        await renewing.send_batch(1, quotes(NOON, 5))
        welcome = await renewing.authenticate(token(), "XAUUSD")
        assert welcome["resume"]["XAUUSD"]["seq"] == 5
        assert await idle.closed() == 4401
        assert idle.errors[0]["code"] == "TOKEN_EXPIRED"
        await renewing.send_batch(6, quotes(NOON + 10_000, 1))
        await renewing.acknowledged(6)


async def test_keys_rotate_without_an_outage(harness: Harness) -> None:
    old, new = SigningKeys({"old": "o" * 40}), SigningKeys({"new": "n" * 40})

    def signed_by(keys: SigningKeys) -> str:
        return tokens.issue(keys, "mt5", ["XAUUSD"], now=int(time.time()))

    before = await harness.start(keys=old)
    async with harness.connect() as connector:
        await connector.authenticate(signed_by(old), "XAUUSD")
    await before.stop()
    both = await harness.start(keys=SigningKeys({**new.secrets, **old.secrets}))
    async with harness.connect() as connector:
        await connector.authenticate(signed_by(old), "XAUUSD")
        await connector.send_batch(1, quotes(NOON, 1))
        await connector.authenticate(signed_by(new), "XAUUSD")
        await connector.send_batch(2, quotes(NOON + 1000, 1))
        await connector.acknowledged(2)
    await both.stop()
    await harness.start(keys=new)
    async with harness.connect() as connector:
        welcome = await connector.authenticate(signed_by(new), "XAUUSD")
        assert welcome["resume"]["XAUUSD"]["seq"] == 2
    async with harness.connect() as connector:
        await connector.send(type="auth", token=signed_by(old), symbols=["XAUUSD"])
        assert await connector.closed() == 4401


async def test_symbols_that_the_token_does_not_carry_are_refused(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    async with harness.connect() as connector:
        welcome = await connector.authenticate(token(), "XAUUSD", "EURUSD")
        assert welcome["role"] == {"XAUUSD": "active"}
        await connector.send_batch(1, quotes(NOON, 1), symbol="EURUSD")
        await connector.send_batch(1, quotes(NOON, 1))
        await connector.acknowledged(1)
    assert [error["code"] for error in connector.errors] == ["FORBIDDEN_SYMBOL"] * 2
    assert not redis_client.exists("ticks:EURUSD")


async def test_the_hundredth_bad_message_ends_the_connection(harness: Harness) -> None:
    await harness.start()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        bad = ["{", "[]", '"x"', b"\x00\x01", '{"type":"tick"}', '{"no":"type"}', ""]
        for n in range(99):
            await connector.socket.send(bad[n % len(bad)])
        await connector.send_batch(1, quotes(NOON, 1))
        await connector.acknowledged(1)
        assert len(connector.errors) == 99
        await connector.socket.send("nonsense")
        assert await connector.closed() == 4400
    assert {error["code"] for error in connector.errors} == {"BAD_MESSAGE"}


async def test_a_message_over_a_mebibyte_is_dropped_and_the_connection_lives_on(
    harness: Harness,
) -> None:
    await harness.start()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.socket.send("x" * (1 << 20) + "x")
        await connector.socket.send("x" * (1 << 23))
        await connector.send_batch(1, quotes(NOON, 1))
        await connector.acknowledged(1)
    assert [error["code"] for error in connector.errors] == ["BAD_MESSAGE"] * 2


async def test_a_long_message_in_fragments_is_dropped_and_the_connection_lives_on(
    harness: Harness,
) -> None:
    await harness.start()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.socket.send(["x" * 1000] * 1100)
        await connector.socket.send(["x" * (1 << 20) + "x", "y"])
        await connector.socket.send([b"{" * 1000, b"x" * (1 << 21)])
        await connector.socket.send([""] * 20_000)
        tick = '{"type":"ticks","symbol":"XAUUSD","seq":1,"rows":'
        await connector.socket.send([tick, str(quotes(NOON, 1)), "}"])
        await connector.acknowledged(1)
    assert [error["message"] for error in connector.errors] == [
        "message too long",
        "message too long",
        "binary frame",
        "message too long",
    ]


async def test_unknown_types_get_an_error_and_are_not_counted(harness: Harness) -> None:
    await harness.start()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        for _ in range(120):
            await connector.send(type="depth", levels=[])
        await connector.send_batch(1, quotes(NOON, 1))
        await connector.acknowledged(1)
    assert len(connector.errors) == 120


async def test_one_connection_too_many_is_turned_away(harness: Harness) -> None:
    await harness.start(maximum_connections=2)
    async with harness.connect() as first, harness.connect() as second, harness.connect() as late:
        await first.authenticate(token("mt5-a"), "XAUUSD")
        await second.authenticate(token("mt5-b"), "XAUUSD")
        async with harness.connect() as third:
            assert await third.closed() == 4429
            assert third.errors[0]["code"] == "TOO_MANY_CONNECTIONS"
        await late.send(type="auth", token=token("mt5-c"), symbols=["XAUUSD"])
        assert await late.closed() == 4429
        # Who is in may show another token.
        await first.authenticate(token("mt5-a"), "XAUUSD")


async def test_a_connectors_address_has_places_of_its_own_from_then_on(harness: Harness) -> None:
    gateway = await harness.start(places=PlaceLimits(strangers=2, reserved=2, per_address=2))
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        assert "127.0.0.1" in gateway._places.known


async def test_only_allowed_networks_may_connect(harness: Harness) -> None:
    await harness.start(networks=[ip_network("192.0.2.0/24")])
    with pytest.raises((OSError, InvalidHandshake)):
        async with harness.connect():
            pass
    await harness.start(networks=[ip_network("127.0.0.0/8"), ip_network("::1/128")])
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")


async def test_too_many_messages_end_the_connection(harness: Harness) -> None:
    await harness.start(limits=Limits(messages_per_second=5))
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        for _ in range(60):
            await connector.send(type="heartbeat", timestamp="2024-01-05T12:15:00.000Z")
        assert await connector.closed() == 4429
        assert connector.errors[-1]["code"] == "RATE_LIMITED"


async def test_history_is_stored_and_answered(harness: Harness) -> None:
    await harness.start()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        row = [NOON, 2000.0, 2001.0, 1999.0, 2000.5, 812]
        await connector.send(type="history", symbol="XAUUSD", timeframe="M15", rows=[row])
        answer = await connector.receive("history_ack")
        assert answer == {
            "type": "history_ack",
            "symbol": "XAUUSD",
            "timeframe": "M15",
            "stored": 1,
        }
        upside_down = [NOON, 2000.0, 1999.0, 2001.0, 2000.5, 812]
        await connector.send(type="history", symbol="XAUUSD", timeframe="M15", rows=[upside_down])
        assert (await connector.receive("error"))["code"] == "BAD_MESSAGE"


async def test_what_the_connector_reports_is_recorded(harness: Harness) -> None:
    await harness.start()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.send(
            type="error",
            code="MT5_DISCONNECTED",
            message="Lost connection to MT5 terminal",
            timestamp="2024-01-05T14:30:00.000Z",
        )
        await connector.send(type="heartbeat", timestamp="2024-01-05T14:30:00.000Z")
        await connector.receive("heartbeat_ack")
        await asyncio.sleep(0.1)
    assert harness.database.events == [
        ("mt5-primary", "MT5_DISCONNECTED", "", "Lost connection to MT5 terminal")
    ]


async def test_a_standby_is_promoted_when_the_active_one_is_gone(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start(
        lease_timeouts=LeaseTimeouts(failover_after_ms=60_000, disconnect_grace_ms=200)
    )
    rows = quotes(NOON, 10)
    async with harness.connect() as second:
        async with harness.connect() as first:
            await first.authenticate(token("mt5-a"), "XAUUSD")
            await first.send_batch(1, rows[:5])
            await first.acknowledged(5)
            welcome = await second.authenticate(token("mt5-b"), "XAUUSD")
            assert welcome["role"] == {"XAUUSD": "standby"}
            await second.send_batch(101, rows[:4])
            assert (await second.receive("error"))["code"] == "STANDBY"
            await second.acknowledged(104)
        promoted = await second.receive("auth_ok")
        assert promoted["role"] == {"XAUUSD": "active"}
        assert promoted["resume"] == {"XAUUSD": {"seq": 0, "time": NOON + 4000}}
        await second.send_batch(101, rows)
        await second.acknowledged(110)
    assert [tick[1] for tick in stored(redis_client)] == [row[0] for row in rows]
    assert harness.database.events[-1][:3] == ("mt5-b", "PROMOTED", "XAUUSD")


async def test_a_silent_active_connector_gives_way_and_becomes_standby(
    harness: Harness,
) -> None:
    await harness.start(
        lease_timeouts=LeaseTimeouts(failover_after_ms=300, disconnect_grace_ms=200)
    )
    async with harness.connect() as first, harness.connect() as second:
        await first.authenticate(token("mt5-a"), "XAUUSD")
        await second.authenticate(token("mt5-b"), "XAUUSD")
        assert (await second.receive("auth_ok"))["role"] == {"XAUUSD": "active"}
        await first.send_batch(1, quotes(NOON, 1))
        assert (await first.receive("auth_ok"))["role"] == {"XAUUSD": "standby"}


async def test_two_gateways_agree_on_who_is_active(harness: Harness, redis_client: "Redis") -> None:
    one = await harness.start()
    other = await harness.start()
    try:
        async with harness.connect(one) as first, harness.connect(other) as second:
            await first.authenticate(token("mt5-a"), "XAUUSD")
            welcome = await second.authenticate(token("mt5-b"), "XAUUSD")
            assert welcome["role"] == {"XAUUSD": "standby"}
            await first.send_batch(1, quotes(NOON, 5))
            await first.acknowledged(5)
        async with harness.connect(other) as first:
            welcome = await first.authenticate(token("mt5-a"), "XAUUSD")
            assert welcome["resume"]["XAUUSD"]["seq"] == 5
            await first.send_batch(4, quotes(NOON + 3000, 5))
            await first.acknowledged(8)
    finally:
        await one.stop()
    assert len(stored(redis_client)) == 8


async def test_gateways_that_share_a_port_share_the_connections(harness: Harness) -> None:
    one = await harness.start(reuse_port=True)
    other = await harness.start(reuse_port=True, port=one.port)
    with pytest.raises(CannotServe, match="address already in use"):
        await harness.start(port=one.port)
    harness.gateway = other
    async with AsyncExitStack() as stack:
        entered = [await stack.enter_async_context(harness.connect()) for _ in range(24)]
        for number, connector in enumerate(entered):
            symbol = f"S{number}"
            await connector.authenticate(token(f"mt5-{number}", symbol), symbol)
        # The kernel chooses; that all 24 go to one of two is a thing of once in eight million.
        await one.stop()
        ends = [await _is_closed(connector) for connector in entered]
        assert set(ends) == {True, False}
        async with harness.connect() as connector:
            await connector.authenticate(token(), "XAUUSD")


async def _is_closed(connector: Peer) -> bool:
    try:
        return await connector.closed(within=0.02) == 1001
    except TimeoutError:
        return False


async def test_a_newer_connection_of_the_same_connector_replaces_the_older(
    harness: Harness,
) -> None:
    await harness.start()
    async with harness.connect() as older, harness.connect() as newer:
        await older.authenticate(token(), "XAUUSD")
        welcome = await newer.authenticate(token(), "XAUUSD")
        assert welcome["role"] == {"XAUUSD": "active"}
        assert await older.closed() == 1001


async def test_redis_losing_its_memory_loses_no_tick(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    rows = quotes(NOON, 12)
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.send_batch(1, rows[:8])
        await connector.acknowledged(8)
        before = stored(redis_client)
        harness.database.checkpoints["XAUUSD"] = Checkpoint(
            3, int(rows[2][0]), rows[2][1], {"mt5-primary": 3}
        )
        redis_client.flushdb()
        await connector.send_batch(9, rows[8:10])
        assert await connector.closed() == 1013
    async with harness.connect() as connector:
        welcome = await connector.authenticate(token(), "XAUUSD")
        assert welcome["resume"] == {"XAUUSD": {"seq": 3, "time": rows[2][0]}}
        await connector.send_batch(4, rows[3:])
        await connector.acknowledged(12)
    entries = redis_client.xrange("ticks:XAUUSD")
    assert entries[0][1][b"f"] == b"4"
    assert sum(int(fields[b"n"]) for _, fields in entries) == 9
    assert len(before) == 8


async def test_redis_losing_its_memory_makes_no_standby_active(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start(
        lease_timeouts=LeaseTimeouts(failover_after_ms=60_000, disconnect_grace_ms=2000)
    )
    rows = quotes(NOON, 6)
    async with harness.connect() as first, harness.connect() as second:
        await first.authenticate(token("mt5-a"), "XAUUSD")
        await second.authenticate(token("mt5-b"), "XAUUSD")
        await first.send_batch(1, rows[:4])
        await first.acknowledged(4)
        marked = Checkpoint(
            4, int(rows[3][0]), rows[3][1], {"mt5-a": 4, "mt5-b": 0}, writer="mt5-a"
        )
        harness.database.checkpoints["XAUUSD"] = marked
        redis_client.flushdb()
        # Its market is quiet; it hears of the loss nevertheless, and resumes.
        assert await first.closed() == 1013
        async with harness.connect() as back:
            welcome = await back.authenticate(token("mt5-a"), "XAUUSD")
            assert welcome["role"] == {"XAUUSD": "active"}
            assert welcome["resume"] == {"XAUUSD": {"seq": 4, "time": rows[3][0]}}
            await back.send_batch(5, [[rows[3][0], *rows[4][1:]], rows[5]])
            await back.acknowledged(6)
            await asyncio.sleep(2.1)
            assert harness.database.events == []
        assert (await second.receive("auth_ok"))["role"] == {"XAUUSD": "active"}
        await asyncio.sleep(0.3)
    assert harness.database.events == [("mt5-b", "PROMOTED", "XAUUSD", "active in place of mt5-a")]
    ((_, fields),) = redis_client.xrange("ticks:XAUUSD")
    assert (fields[b"f"], fields[b"n"]) == (b"5", b"2")


async def test_a_redis_behind_the_database_is_put_to_the_databases_mark(
    harness: Harness, redis_client: "Redis"
) -> None:
    await harness.start()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.send_batch(1, quotes(NOON, 4))
        await connector.acknowledged(4)
    harness.database.checkpoints["XAUUSD"] = Checkpoint(9, NOON + 8000, 2000.08, {"mt5-primary": 9})
    async with harness.connect() as connector:
        welcome = await connector.authenticate(token(), "XAUUSD")
        assert welcome["resume"] == {"XAUUSD": {"seq": 9, "time": NOON + 8000}}


async def test_nobody_is_let_in_while_neither_store_knows_where_to_resume(
    harness: Harness,
) -> None:
    await harness.start()
    harness.database.is_down = True
    async with harness.connect() as connector:
        await connector.send(type="auth", token=token(), symbols=["XAUUSD"])
        assert await connector.closed() == 1013


async def test_stopping_stores_and_acknowledges_what_was_read(
    harness: Harness, redis_client: "Redis"
) -> None:
    gateway = await harness.start()
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        await connector.send_batch(1, quotes(NOON, 900))
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(gateway.stop())
        await connector.acknowledged(900)
        assert await connector.closed() == 1001
        await stopping
    assert len(stored(redis_client)) == 900


async def test_silence_ends_a_connection(harness: Harness) -> None:
    await harness.start(limits=replace(Limits(), silence_ms=200))
    async with harness.connect() as connector:
        await connector.authenticate(token(), "XAUUSD")
        assert await connector.closed() == 1001


async def test_other_paths_are_not_found_and_health_is_answered(harness: Harness) -> None:
    import httpx

    gateway = await harness.start()
    async with httpx.AsyncClient(verify=harness.trusted) as client:
        base = f"https://localhost:{gateway.port}"
        assert (await client.get(f"{base}/health")).text == "ok\n"
        assert (await client.get(f"{base}/admin")).status_code == 404


async def test_two_spools_under_one_name_are_told_apart(harness: Harness) -> None:
    await harness.start()
    async with harness.connect() as first, harness.connect() as second:
        await first.send(type="auth", token=token("mt5"), symbols=["XAUUSD"], spool="one")
        await first.receive("auth_ok")
        await second.send(type="auth", token=token("mt5"), symbols=["XAUUSD"], spool="two")
        assert await second.closed() == 4409
        assert (await first.receive("error"))["code"] == "NAME_IN_USE"
    (event,) = harness.database.events
    assert event[:2] == ("mt5", "NAME_IN_USE")
