"""The conversation, frame by frame."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.wire import CandleRow, ErrorCode, Role, Row
from signals_app.gateway import actions
from signals_app.gateway.actions import (
    Actions,
    Admit,
    Close,
    Dropped,
    RecordEvent,
    RenewLeases,
    Send,
    StoreHistory,
    StoreTicks,
    StoreWatermark,
)
from signals_app.gateway.append_plan import Batch
from signals_app.gateway.connection import Connection
from signals_app.gateway.limits import Limits
from signals_app.gateway.roles import Assignment
from signals_app.gateway.tokens import Claims, TokenRefused
from signals_app.market.candle import Timeframe

NOW = 1_704_456_000_000
CLAIMS = Claims("mt5", ("XAUUSD", "EURUSD"), "id", NOW // 1000, NOW // 1000 + 3600)


def verify(token: str, now: float) -> Claims:
    if token == "good":
        return CLAIMS
    if token == "renewed":
        return replace(CLAIMS, expires_at=CLAIMS.expires_at + 3600)
    if token == "other":
        return replace(CLAIMS, connector="other")
    raise TokenRefused("this is not a token")


def opened(**limits: Any) -> Connection:
    return Connection(verify, NOW, Limits(**limits))


def entered(role: Role = Role.ACTIVE, **limits: Any) -> Connection:
    connection = opened(**limits)
    connection.admitted(CLAIMS, {"XAUUSD": Assignment(role, 0, None)}, NOW)
    return connection


def say(connection: Connection, now_ms: int = NOW, /, **message: Any) -> Actions:
    return connection.receive(json.dumps(message), now_ms)


def error(code: ErrorCode, message: str, symbol: str | None = None, now_ms: int = NOW) -> Send:
    return Send(wire.Error(code.value, message, wire.iso(now_ms), symbol))


def tick(**changes: Any) -> dict[str, Any]:
    return {
        "type": "tick",
        "symbol": "XAUUSD",
        "timestamp": "2024-01-05T12:00:00.123Z",
        "bid": 2045.5,
        "ask": 2045.7,
        "last": 2045.6,
        "volume": 100,
        **changes,
    }


def test_the_server_speaks_first() -> None:
    assert opened().greet() == (Send(wire.Connected(server_time="2024-01-05T12:00:00.000Z")),)


def test_a_good_token_asks_to_be_admitted_with_the_allowed_symbols() -> None:
    connection = opened()
    found = say(connection, type="auth", token="good", symbols=["XAUUSD", "GBPUSD", "XAUUSD"])
    assert found == (
        error(ErrorCode.FORBIDDEN_SYMBOL, "GBPUSD is not in the token", "GBPUSD"),
        Admit(CLAIMS, ("XAUUSD",)),
    )
    assert connection.admitted(CLAIMS, {"XAUUSD": Assignment(Role.ACTIVE, 7, NOW - 5)}, NOW) == (
        Send(
            wire.AuthOk(
                connector="mt5",
                role={"XAUUSD": Role.ACTIVE},
                resume={"XAUUSD": wire.Resume(7, NOW - 5)},
                heartbeat_interval=30,
                expires_at="2024-01-05T13:00:00.000Z",
            )
        ),
    )


def test_an_auth_of_forbidden_symbols_alone_is_dropped() -> None:
    connection = opened()
    found = say(connection, type="auth", token="good", symbols=["GBPUSD"])
    assert found == (error(ErrorCode.FORBIDDEN_SYMBOL, "GBPUSD is not in the token", "GBPUSD"),)
    assert not connection.closed


def test_a_bad_token_closes() -> None:
    connection = opened()
    found = say(connection, type="auth", token="bad", symbols=["XAUUSD"])
    assert found == (
        error(ErrorCode.AUTH_FAILED, "this is not a token"),
        Close(4401, "AUTH_FAILED: this is not a token"),
    )
    assert say(connection, **tick()) == ()


def test_nothing_but_auth_is_taken_from_a_stranger() -> None:
    found = say(opened(), **tick())
    assert found[-1] == Close(4401, "AUTH_FAILED: auth comes first")


def test_a_renewed_token_prolongs_the_connection() -> None:
    connection = entered()
    expiry = CLAIMS.expires_at * 1000
    say(connection, expiry - 1, type="heartbeat", timestamp="2024-01-05T12:59:59.999Z")
    (admit,) = say(connection, expiry - 1, type="auth", token="renewed", symbols=["XAUUSD"])
    assert isinstance(admit, Admit)
    connection.admitted(admit.claims, {"XAUUSD": Assignment(Role.ACTIVE, 0, None)}, expiry - 1)
    assert connection.overdue(expiry) == ()


def test_a_token_of_another_connector_closes() -> None:
    found = say(entered(), type="auth", token="other", symbols=["XAUUSD"])
    assert found[-1] == Close(4401, "AUTH_FAILED: the token is of another connector")


def test_time_alone_closes_strangers_expired_tokens_and_silent_peers() -> None:
    stranger = opened()
    assert stranger.overdue(NOW + 9_999) == ()
    assert stranger.overdue(NOW + 10_000)[-1] == Close(4401, "AUTH_TIMEOUT: no valid auth in time")
    expired = entered(silence_ms=10**9)
    assert expired.overdue(CLAIMS.expires_at * 1000 - 1) == ()
    assert expired.overdue(CLAIMS.expires_at * 1000) == (
        error(ErrorCode.TOKEN_EXPIRED, "the token has expired", None, CLAIMS.expires_at * 1000),
        Close(4401, "TOKEN_EXPIRED: the token has expired"),
    )
    silent = entered()
    assert silent.overdue(NOW + 89_999) == ()
    assert silent.overdue(NOW + 90_000) == (Close(1001, "nothing heard"),)
    assert silent.overdue(NOW + 90_000) == ()


def test_ticks_alone_and_in_batches_are_stored() -> None:
    connection = entered()
    assert say(connection, **tick(seq=5)) == (
        StoreTicks("XAUUSD", 5, (Row(NOW + 123, 2045.5, 2045.7),)),
    )
    assert say(connection, **tick()) == (
        StoreTicks("XAUUSD", None, (Row(NOW + 123, 2045.5, 2045.7),)),
    )
    batch = say(connection, type="ticks", symbol="XAUUSD", seq=6, rows=[[NOW, 1.0, 1.1, 1.05, 3]])
    assert batch == (StoreTicks("XAUUSD", 6, [Row(NOW, 1.0, 1.1, 1.05, 3)]),)
    assert say(connection, type="ticks", symbol="XAUUSD", seq=7, rows=[]) == ()


def test_a_standbys_ticks_are_dropped_and_it_is_warned_once() -> None:
    connection = entered(Role.STANDBY)
    warning = error(ErrorCode.STANDBY, "another connector is active", "XAUUSD")
    assert say(connection, **tick(seq=5)) == (warning, Dropped("XAUUSD", 5, 1))
    assert say(connection, **tick()) == (Dropped("XAUUSD", None, 1),)


def test_after_a_promotion_nothing_is_stored_ahead_of_what_is_sent_again() -> None:
    connection = entered(Role.STANDBY)
    say(connection, **tick(seq=5))
    (promoted,) = connection.promoted("XAUUSD", Assignment(Role.ACTIVE, 3, NOW), NOW)
    assert isinstance(promoted, Send)
    # Sent before the connector heard of it: tick 5 is still to come again.
    assert say(connection, **tick(seq=6)) == (Dropped("XAUUSD", None, 1),)
    for seq in (5, 6, 7):
        assert isinstance(say(connection, **tick(seq=seq))[0], StoreTicks)


def test_after_a_promotion_ticks_go_on_where_nothing_later_was_dropped() -> None:
    connection = entered(Role.STANDBY)
    say(connection, **tick(seq=5))
    connection.promoted("XAUUSD", Assignment(Role.ACTIVE, 3, NOW + 124), NOW)
    assert isinstance(say(connection, **tick(seq=6))[0], StoreTicks)


def test_a_connector_that_does_not_go_back_is_heard_again_after_a_while() -> None:
    connection = entered(Role.STANDBY)
    say(connection, **tick(seq=5))
    connection.promoted("XAUUSD", Assignment(Role.ACTIVE, 3, NOW), NOW)
    assert say(connection, NOW + 9_999, **tick(seq=6)) == (Dropped("XAUUSD", None, 1),)
    assert isinstance(say(connection, NOW + 10_000, **tick(seq=7))[0], StoreTicks)


def test_what_was_not_stored_when_demoted_is_waited_for_after_the_next_promotion() -> None:
    connection = entered()
    row = Row(NOW + 5, 2000.0, 2000.3)
    connection.demoted(
        "XAUUSD", Assignment(Role.STANDBY, 4, NOW), [Batch(5, [row, row]), Batch(None, [row])]
    )
    assert connection.roles.by_symbol == {"XAUUSD": Role.STANDBY}
    connection.promoted("XAUUSD", Assignment(Role.ACTIVE, 4, NOW), NOW)
    assert say(connection, **tick(seq=7)) == (Dropped("XAUUSD", None, 1),)
    assert isinstance(say(connection, **tick(seq=5))[0], StoreTicks)


def test_symbols_not_named_in_auth_are_refused() -> None:
    found = say(entered(), **tick(symbol="EURUSD"))
    assert found == (error(ErrorCode.FORBIDDEN_SYMBOL, "EURUSD is not named in auth", "EURUSD"),)


def test_a_heartbeat_is_answered_and_carries_watermarks() -> None:
    found = say(
        entered(),
        type="heartbeat",
        timestamp="2024-01-05T12:00:00.000Z",
        watermark={"XAUUSD": NOW - 1, "GBPUSD": NOW},
    )
    assert found == (
        Send(wire.HeartbeatAck("2024-01-05T12:00:00.000Z")),
        RenewLeases(("XAUUSD",)),
        StoreWatermark("XAUUSD", NOW - 1),
        error(ErrorCode.FORBIDDEN_SYMBOL, "GBPUSD is not in the token", "GBPUSD"),
    )


def test_a_watermark_in_the_future_and_one_of_a_standby_are_left_out() -> None:
    beat = {"type": "heartbeat", "timestamp": "2024-01-05T12:00:00.000Z"}
    ahead = say(entered(), **beat, watermark={"XAUUSD": NOW + 60_001})
    assert ahead[-1] == error(ErrorCode.BAD_TICK, "watermark in the future", "XAUUSD")
    standby = say(entered(Role.STANDBY), **beat, watermark={"XAUUSD": NOW})
    assert standby == (Send(wire.HeartbeatAck("2024-01-05T12:00:00.000Z")), RenewLeases(()))


def test_closed_aligned_candles_are_stored_as_history() -> None:
    row = [NOW - 900_000, 2045.1, 2046.0, 2044.9, 2045.5, 812]
    found = say(entered(), type="history", symbol="XAUUSD", timeframe="M15", rows=[row])
    assert found == (StoreHistory("XAUUSD", Timeframe.M15, [CandleRow(*row)]),)


def test_candles_that_cannot_be_are_refused_with_their_place() -> None:
    good = [NOW - 1_800_000, 2045.1, 2046.0, 2044.9, 2045.5, 812]
    bad: dict[str, list[float]] = {
        "candle 1 has a price that cannot be": [NOW - 900_000, 0, 1, 1, 1, 1],
        "candle 1 does not hold its open and close": [NOW - 900_000, 2.0, 1.5, 1.0, 1.2, 1],
        "candle 1 has no valid volume": [NOW - 900_000, 2.0, 2.0, 2.0, 2.0, -1],
        "candle 1 does not open on M15": [-900_000, 2.0, 2.0, 2.0, 2.0, 1],
        "candle 1 is not later than the one before": [NOW - 1_800_000, 2.0, 2.0, 2.0, 2.0, 1],
        "candle 1 is not closed yet": [NOW, 2.0, 2.0, 2.0, 2.0, 1],
    }
    for why, row in bad.items():
        found = say(entered(), type="history", symbol="XAUUSD", timeframe="M15", rows=[good, row])
        assert found == (error(ErrorCode.BAD_MESSAGE, why),)


def test_history_of_other_timeframes_is_refused() -> None:
    for timeframe in ("M1", "X9"):
        found = say(entered(), type="history", symbol="XAUUSD", timeframe=timeframe, rows=[])
        assert found == (error(ErrorCode.BAD_MESSAGE, f"history of timeframe {timeframe!r}"),)


def test_the_connectors_reports_are_passed_on_and_other_codes_are_not() -> None:
    report = {"type": "error", "message": "gone", "timestamp": "2024-01-05T12:00:00.000Z"}
    assert say(entered(), **report, code="SYMBOL_UNAVAILABLE", symbol="XAUUSD") == (
        RecordEvent(ErrorCode.SYMBOL_UNAVAILABLE, "XAUUSD", "gone"),
    )
    assert say(entered(), **report, code="AUTH_FAILED") == ()
    assert say(entered(), **report, code="SOMETHING_NEW") == ()


def test_bad_messages_are_counted_and_the_last_one_closes() -> None:
    connection = entered(bad_messages=3)
    frames: list[str | bytes] = ["{", b"binary", '{"type":"tick"}']
    answers = [connection.receive(frame, NOW) for frame in frames]
    assert [len(answer) for answer in answers] == [1, 1, 2]
    assert answers[1] == (error(ErrorCode.BAD_MESSAGE, "binary frame"),)
    assert answers[2][-1] == Close(4400, "too many bad messages")


def test_unknown_types_are_answered_and_not_counted() -> None:
    connection = entered(bad_messages=1)
    found = say(connection, type="depth")
    assert found == (error(ErrorCode.BAD_MESSAGE, "unknown type 'depth'"),)
    assert not connection.closed


def test_bursts_are_allowed_and_floods_are_not() -> None:
    connection = entered(frames_per_second=10.0)
    assert all(isinstance(say(connection, **tick())[0], StoreTicks) for _ in range(100))
    assert say(connection, **tick())[-1] == Close(4429, "RATE_LIMITED: too many frames")
    patient = entered(frames_per_second=10.0)
    for n in range(300):
        assert isinstance(say(patient, NOW + 100 * n, **tick())[0], StoreTicks)


def test_one_connection_too_many_hears_why() -> None:
    found = opened().turn_away()
    assert found[-1] == Close(4429, "TOO_MANY_CONNECTIONS: no place is free")


ACTIONS = actions.Action.__args__  # type: ignore[attr-defined]
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(["auth", "heartbeat", "tick", "ticks", "history", "error", "ack"])},
    optional={
        "token": st.sampled_from(["good", "bad", ""]),
        "symbols": st.lists(st.sampled_from(["XAUUSD", "GBPUSD", ""]), max_size=3),
        "symbol": st.sampled_from(["XAUUSD", "GBPUSD", "", "x" * 40]),
        "timestamp": st.sampled_from(["2024-01-05T12:00:00Z", "2024-01-05T12:00:00", "noon"]),
        "bid": st.one_of(st.floats(), st.integers(), st.text(max_size=3)),
        "ask": st.floats(),
        "seq": st.integers(-1, 2**60),
        "rows": st.lists(st.lists(st.one_of(st.floats(), st.integers()), max_size=7), max_size=3),
        "timeframe": st.sampled_from(["M15", "H4", "M1", ""]),
        "watermark": st.dictionaries(
            st.sampled_from(["XAUUSD", "E"]), st.integers(-(2**60), 2**60)
        ),
        "code": st.sampled_from(["MT5_DISCONNECTED", "X", ""]),
        "message": st.text(max_size=10),
    },
)


@given(
    frames=st.lists(
        st.one_of(MESSAGES.map(json.dumps), st.text(max_size=30), st.binary(max_size=30)),
        max_size=20,
    ),
    is_known=st.booleans(),
)
def test_no_frame_makes_the_conversation_fail(frames: list[str | bytes], is_known: bool) -> None:
    connection = entered() if is_known else opened()
    for frame in frames:
        for action in connection.receive(frame, NOW):
            assert isinstance(action, ACTIONS)
