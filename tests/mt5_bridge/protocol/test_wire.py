import contextlib
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt5_bridge.protocol.wire import (
    MAX_MESSAGE_BYTES,
    Ack,
    Auth,
    AuthOk,
    BadMessage,
    CandleRow,
    Connected,
    Error,
    Heartbeat,
    HeartbeatAck,
    History,
    HistoryAck,
    Resume,
    Role,
    Row,
    TickBatch,
    TickMessage,
    Unknown,
    decode_from_connector,
    decode_from_server,
    encode,
    encode_ticks,
    iso,
    milliseconds,
)

TICK = {
    "type": "tick",
    "symbol": "XAUUSD",
    "timestamp": "2024-01-05T14:30:00.123Z",
    "bid": 2045.50,
    "ask": 2045.70,
    "last": 2045.60,
    "volume": 100,
    "seq": 1235,
}


def test_the_tick_of_the_architecture_is_read():
    tick = decode_from_connector(json.dumps(TICK))
    assert tick == TickMessage(
        symbol="XAUUSD",
        timestamp="2024-01-05T14:30:00.123Z",
        bid=2045.5,
        ask=2045.7,
        last=2045.6,
        volume=100,
        seq=1235,
    )
    assert tick.time_ms == 1704465000123


def test_a_batch_is_read_with_and_without_last_and_volume():
    frame = b"""{"type":"ticks","symbol":"XAUUSD","seq":1236,"rows":
        [[1704465000123,2045.50,2045.70,2045.60,100],[1704465000124,2045,2045.7,null,null],
         [1704465000125,2045.50,2045.70]]}"""
    assert decode_from_connector(frame) == TickBatch(
        symbol="XAUUSD",
        seq=1236,
        rows=[
            Row(1704465000123, 2045.5, 2045.7, 2045.6, 100),
            Row(1704465000124, 2045.0, 2045.7),
            Row(1704465000125, 2045.5, 2045.7),
        ],
    )


@pytest.mark.parametrize(
    ("message", "decode"),
    [
        (Connected(server_time="2024-01-05T14:30:00.000Z"), decode_from_server),
        (
            AuthOk(
                connector="mt5-primary",
                role={"XAUUSD": Role.ACTIVE},
                resume={"XAUUSD": Resume(seq=1234, time=1704465000123)},
                expires_at="2024-01-06T14:30:00.000Z",
            ),
            decode_from_server,
        ),
        (HeartbeatAck(timestamp="2024-01-05T14:30:00.000Z"), decode_from_server),
        (Ack(symbol="XAUUSD", seq=1290), decode_from_server),
        (HistoryAck(symbol="XAUUSD", timeframe="M15", stored=200), decode_from_server),
        (Error(code="STANDBY", message="wait", timestamp=iso(0)), decode_from_server),
        (Error(code="MT5_DISCONNECTED", message="", timestamp=iso(0)), decode_from_connector),
        (Auth(token="a.b.c", symbols=["XAUUSD"]), decode_from_connector),
        (Heartbeat(timestamp=iso(1), watermark={"XAUUSD": 5}), decode_from_connector),
        (
            History(symbol="XAUUSD", timeframe="M15", rows=[CandleRow(1, 2.0, 3.0, 1.0, 2.5, 9)]),
            decode_from_connector,
        ),
    ],
)
def test_every_message_comes_back_as_it_was_sent(message, decode):
    assert decode(encode(message)) == message


def test_the_type_comes_first_and_times_have_milliseconds():
    assert encode(HeartbeatAck(timestamp=iso(1704465000000))) == (
        '{"type":"heartbeat_ack","timestamp":"2024-01-05T14:30:00.000Z"}'
    )


def test_a_batch_of_plain_rows_is_written_as_the_contract_shows_it():
    rows = [(1704465000123, 2045.5, 2045.7, 2045.6, 100.0)]
    assert encode_ticks("XAUUSD", 1236, rows) == (
        '{"type":"ticks","symbol":"XAUUSD","seq":1236,'
        '"rows":[[1704465000123,2045.5,2045.7,2045.6,100.0]]}'
    )


def test_unknown_fields_are_ignored_and_unknown_types_told_apart():
    assert decode_from_connector('{"type":"auth","token":"t","symbols":["X"],"new":1}') == Auth(
        token="t", symbols=["X"]
    )
    assert decode_from_connector('{"type":"depth","levels":[]}') == Unknown(type="depth")


def test_prices_that_are_no_json_numbers_make_bad_ticks_not_bad_messages():
    frame = '{"type":"ticks","symbol":"X","seq":1,"rows":[[1,NaN,2],[2,-Infinity,1e999],[3,1,2]]}'
    rows = decode_from_connector(frame).rows
    assert math.isnan(rows[0].bid)
    assert (rows[1].bid, rows[1].ask) == (-math.inf, math.inf)
    assert rows[2] == Row(3, 1.0, 2.0)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        '"tick"',
        "{}",
        '{"type":5}',
        b"\xff\xfe\x00",
        "[" * 200_000,
        '{"type":"x","deep":' + "[" * 200_000,
        '{"type":"auth_ok","connector":"x","role":{},"resume":{}}',
        '{"type":"tick","symbol":"X","timestamp":"yesterday","bid":1,"ask":2}',
        '{"type":"tick","symbol":"X","timestamp":"2024-01-05T14:30:00","bid":1,"ask":2}',
        '{"type":"tick","symbol":"X","timestamp":"2024-01-05T14:30:00Z","bid":"1","ask":2}',
        '{"type":"tick","symbol":"X","timestamp":"2024-01-05T14:30:00Z","bid":1}',
        '{"type":"tick","symbol":"","timestamp":"2024-01-05T14:30:00Z","bid":1,"ask":2}',
        '{"type":"ticks","symbol":"X","seq":0,"rows":[]}',
        '{"type":"ticks","symbol":"X","seq":1,"rows":[[1,2]]}',
        '{"type":"ticks","symbol":"\\ud800","seq":1,"rows":[[1,NaN,2]]}',
        '{"type":"ticks","symbol":"X","seq":1,"rows":[[1,true,2]]}',
        '{"type":"ticks","symbol":"X","seq":1,"rows":[[' + "9" * 5000 + ",1,2]]}",
        '{"type":"heartbeat","timestamp":"2024-01-05T14:30:00Z","watermark":{"X":"soon"}}',
        '{"type":"auth","token":"t","symbols":[]}',
        "x" * (MAX_MESSAGE_BYTES + 1),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(frame):
    with pytest.raises(BadMessage) as refused:
        decode_from_connector(frame)
    assert 0 < len(refused.value.reason) <= 400


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.data())
def test_mutated_frames_never_raise_anything_else(noise, data):
    whole = json.dumps(TICK).encode()
    at = data.draw(st.integers(0, len(whole)))
    cut = data.draw(st.integers(at, len(whole)))
    for decode in (decode_from_connector, decode_from_server):
        with contextlib.suppress(BadMessage):
            decode(whole[:at] + noise + whole[cut:])


@given(st.integers(0, 4_000_000_000_000))
def test_milliseconds_survive_being_written(time_ms):
    assert milliseconds(iso(time_ms)) == time_ms
