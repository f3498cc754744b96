import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.delivery import CANDLE_MS, TickRange
from mt5_bridge.protocol.gateway_clock import ClockReading
from mt5_bridge.protocol.link import Link
from mt5_bridge.protocol.link_events import (
    Acknowledged,
    ClockErrorChanged,
    LoggedIn,
    NumberingNeeded,
    ReplayNeeded,
    Resumed,
    RoleAssigned,
    ServerError,
    SpoolBehind,
)
from mt5_bridge.protocol.login import Login
from mt5_bridge.protocol.wire import ErrorCode, Role
from tests.mt5_bridge.held_ticks import HeldTicks

NOON = 1_704_456_000_000
GOLD = "XAUUSD"


def at(seconds):
    return ClockReading(seconds, NOON + round(seconds * 1000))


def auth_ok(seq=0, time=None, role=Role.ACTIVE, **more):
    return wire.encode(
        wire.AuthOk(
            connector="mt5-primary",
            role={GOLD: role},
            resume={GOLD: wire.Resume(seq=seq, time=time)},
            **more,
        )
    )


def connected(times, first_seq=1, **settings):
    link = Link(HeldTicks(times, first_seq), Login((GOLD,), "secret"), **settings)
    link.connected(at(0))
    link.receive(wire.encode(wire.Connected(server_time=wire.iso(NOON))), at(0))
    link.outgoing()
    return link


def needs_new_token(link, seconds):
    return link.login.needs_new_token(link.clock.now_ms(at(seconds)))


def test_the_greeting_is_answered_with_the_token():
    link = Link(HeldTicks([]), Login((GOLD,), "secret"))
    link.connected(at(0))
    assert link.outgoing() == []
    link.receive(wire.encode(wire.Connected(server_time=wire.iso(NOON))), at(0))
    assert link.outgoing() == [wire.Auth(token="secret", symbols=[GOLD])]


def test_nothing_is_sent_before_the_login():
    link = connected([10, 20])
    assert link.next_range(at(1), 100) is None
    assert link.heartbeat({GOLD: 20}, at(100)) is None


def test_after_the_login_ticks_go_from_where_the_server_stands():
    link = connected([10, 20, 30, 40])
    assert link.receive(auth_ok(seq=2, time=20), at(1)) == [
        LoggedIn("mt5-primary"),
        RoleAssigned(GOLD, Role.ACTIVE),
        Resumed(GOLD, 2, 20),
    ]
    assert link.next_range(at(1), 100) == TickRange(GOLD, 2, 4)
    link.deliveries[GOLD].sent(4, 40)
    assert link.next_range(at(1), 100) is None
    assert link.receive(wire.encode(wire.Ack(symbol=GOLD, seq=3)), at(1)) == [Acknowledged(GOLD, 3)]
    assert link.deliveries[GOLD].in_flight == 1


def test_no_more_ticks_are_in_flight_than_allowed():
    link = connected(list(range(100)), maximum_in_flight=10)
    link.receive(auth_ok(), at(1))
    assert link.next_range(at(1), 6) == TickRange(GOLD, 0, 6)
    link.deliveries[GOLD].sent(6, 5)
    assert link.next_range(at(1), 6) == TickRange(GOLD, 6, 10)
    link.deliveries[GOLD].sent(10, 9)
    assert link.next_range(at(1), 6) is None
    link.receive(wire.encode(wire.Ack(symbol=GOLD, seq=7)), at(1))
    assert link.next_range(at(1), 6) == TickRange(GOLD, 10, 16)


def test_a_new_record_asks_where_to_begin_numbering():
    link = connected(None)
    assert link.receive(auth_ok(seq=77, time=5), at(1))[2:] == [NumberingNeeded(GOLD, 77, 5)]
    assert link.next_range(at(1), 10) is None
    link.ticks.times, link.ticks.first = [10, 20], 78
    assert link.deliveries[GOLD].resume(77, 5) == Resumed(GOLD, 77, 5)
    assert link.next_range(at(1), 10) == TickRange(GOLD, 77, 79)


def test_a_server_that_remembers_more_than_the_record_is_noticed():
    link = connected([10, 20])
    assert link.receive(auth_ok(seq=9, time=90), at(1))[2:] == [SpoolBehind(GOLD, 9, 90)]


def test_a_server_that_lost_more_than_the_record_holds_is_noticed():
    link = connected([10, 20], first_seq=51)
    assert link.receive(auth_ok(seq=30, time=5), at(1))[2:] == [ReplayNeeded(GOLD, 30, 5)]
    assert link.next_range(at(1), 10) is None


def test_what_another_connector_did_not_send_any_more_is_fetched_though_no_number_is_missing():
    """A standby that began later takes over from where a server that forgot stands."""
    link = connected([40, 50])
    link.receive(auth_ok(role=Role.STANDBY), at(1))
    promotion = link.receive(auth_ok(seq=0, time=20), at(2))
    assert promotion == [RoleAssigned(GOLD, Role.ACTIVE), NumberingNeeded(GOLD, 0, 20)]
    assert link.next_range(at(2), 10) is None
    link.ticks.times = [30, 40, 50]
    link.deliveries[GOLD].resume(0, 20)
    assert link.next_range(at(2), 10) == TickRange(GOLD, 0, 3)


def test_a_server_that_forgot_gets_acknowledged_ticks_again():
    link = connected([10, 20, 30, 40])
    link.receive(auth_ok(seq=4, time=40), at(1))
    assert link.receive(auth_ok(seq=1, time=10), at(2)) == [Resumed(GOLD, 1, 10)]
    assert link.next_range(at(2), 10) == TickRange(GOLD, 1, 4)


def test_what_another_connector_stored_meanwhile_is_left_out():
    link = connected([10, 20, 30, 30, 40])
    link.receive(auth_ok(seq=1, time=30), at(1))
    # Both of the last millisecond are sent again: the server may have one of them.
    assert link.next_range(at(1), 10) == TickRange(GOLD, 2, 5)


def test_ticks_of_the_last_stored_millisecond_are_sent_where_nobody_else_was():
    link = connected([10, 20, 20, 20, 40])
    link.receive(auth_ok(seq=2, time=20), at(1))
    assert link.next_range(at(1), 10) == TickRange(GOLD, 2, 5)


def test_what_is_not_needed_is_not_missing():
    """A standby that deleted its old ticks is promoted long after its own last turn."""
    link = connected([500, 600, 700], first_seq=51)
    assert link.receive(auth_ok(seq=3, time=600), at(1))[2:] == [Resumed(GOLD, 51, 600)]


def test_a_standby_sends_heartbeats_only_until_it_is_promoted():
    link = connected([10, 20, 30])
    link.receive(auth_ok(role=Role.STANDBY), at(1))
    assert link.next_range(at(1), 10) is None
    heartbeat = link.heartbeat({GOLD: 30}, at(40))
    assert heartbeat == wire.Heartbeat(timestamp=wire.iso(NOON + 40_000), watermark={})
    assert link.receive(auth_ok(seq=0, time=20), at(41)) == [
        RoleAssigned(GOLD, Role.ACTIVE),
        Resumed(GOLD, 1, 20),
    ]
    assert link.next_range(at(41), 10) == TickRange(GOLD, 1, 3)


def test_an_error_can_put_the_connector_to_standby():
    link = connected([10, 20, 30])
    link.receive(auth_ok(), at(1))
    error = wire.Error(code=ErrorCode.STANDBY, message="wait", timestamp=wire.iso(NOON))
    assert link.receive(wire.encode(error), at(2)) == [
        ServerError("STANDBY", "wait", is_final=False),
        RoleAssigned(GOLD, Role.STANDBY),
    ]
    assert link.next_range(at(2), 10) is None


def test_a_symbol_without_a_role_is_not_sent():
    link = connected([10])
    frame = wire.encode(wire.AuthOk(connector="x", role={}, resume={}))
    assert link.receive(frame, at(1)) == [LoggedIn("x")]
    assert link.role(GOLD) is None
    assert link.next_range(at(1), 10) is None


def test_history_goes_first_and_ticks_wait_until_it_is_confirmed():
    link = connected([10])
    history = wire.History(symbol=GOLD, timeframe="M15", rows=[])
    link.history.offer([history])
    link.receive(auth_ok(), at(1))
    assert link.outgoing() == [history]
    assert link.next_range(at(2), 10) is None
    link.receive(wire.encode(wire.HistoryAck(symbol=GOLD, timeframe="M15", stored=0)), at(3))
    assert link.next_range(at(3), 10) == TickRange(GOLD, 0, 1)


def test_history_that_can_be_had_later_goes_before_the_next_ticks():
    link = connected([10])
    link.receive(auth_ok(), at(1))
    assert link.outgoing() == []
    history = wire.History(symbol=GOLD, timeframe="M15", rows=[])
    link.offer_history([history], at(2))
    assert link.outgoing() == [history]
    assert link.next_range(at(2), 10) is None


def test_history_of_a_standby_waits_until_it_is_promoted():
    link = connected([10])
    link.receive(auth_ok(role="standby"), at(1))
    history = wire.History(symbol=GOLD, timeframe="M15", rows=[])
    link.offer_history([history], at(2))
    assert link.outgoing() == []
    link.receive(auth_ok(), at(3))
    assert link.outgoing() == [history]


def test_ticks_do_not_wait_for_ever_for_the_history():
    link = connected([10])
    link.history.offer([wire.History(symbol=GOLD, timeframe="M15", rows=[])])
    link.receive(auth_ok(), at(1))
    assert link.next_range(at(10.9), 10) is None
    assert link.next_range(at(11), 10) == TickRange(GOLD, 0, 1)


def test_heartbeats_come_at_the_servers_interval():
    link = connected([])
    link.receive(auth_ok(heartbeat_interval=30), at(1))
    assert link.heartbeat({}, at(1)) is not None
    assert link.heartbeat({}, at(30.9)) is None
    assert link.heartbeat({}, at(31)) is not None


def test_a_watermark_is_told_only_behind_everything_that_is_held():
    link = connected([10, 20])
    link.receive(auth_ok(), at(1))
    assert link.heartbeat({GOLD: 25}, at(1)).watermark == {}
    link.deliveries[GOLD].sent(2, 20)
    assert link.heartbeat({GOLD: 25}, at(31)).watermark == {GOLD: 25}
    assert link.heartbeat({GOLD: 24}, at(61)).watermark == {}


def test_the_end_of_a_candle_without_a_tick_is_told_at_once_and_once():
    link = connected([CANDLE_MS - 5])
    link.receive(auth_ok(), at(1))
    link.deliveries[GOLD].sent(1, CANDLE_MS - 5)
    assert link.heartbeat({GOLD: CANDLE_MS - 4}, at(1)).watermark == {GOLD: CANDLE_MS - 4}
    assert link.heartbeat({GOLD: CANDLE_MS - 1}, at(2)) is None
    assert link.heartbeat({GOLD: CANDLE_MS}, at(3)).watermark == {GOLD: CANDLE_MS}
    assert link.heartbeat({GOLD: CANDLE_MS + 1}, at(4)) is None


def test_a_token_is_renewed_after_four_fifths_of_its_life():
    link = connected([])
    link.receive(auth_ok(expires_at=wire.iso(NOON + 101_000)), at(1))
    assert not needs_new_token(link, 80.9)
    assert needs_new_token(link, 81)
    link.renew("next")
    assert link.outgoing() == [wire.Auth(token="next", symbols=[GOLD])]
    assert not needs_new_token(link, 82)
    link.receive(auth_ok(expires_at=wire.iso(NOON + 200_000)), at(82))
    assert needs_new_token(link, 190)


def test_a_wrong_clock_is_noticed_and_the_servers_is_used():
    link = Link(HeldTicks([]), Login((GOLD,), "t"))
    link.connected(at(0))
    greeting = wire.encode(wire.Connected(server_time=wire.iso(NOON - 90_000)))
    assert link.receive(greeting, at(0)) == [ClockErrorChanged(90_000)]
    link.receive(auth_ok(), at(1))
    assert link.heartbeat({}, at(1)).timestamp == wire.iso(NOON - 89_000)


def test_clocks_are_compared_with_every_answer_to_a_heartbeat():
    """Two minutes fast at the login; then the machine's clock is put right under our hands."""
    link = Link(HeldTicks([]), Login((GOLD,), "t"))
    link.connected(at(0))
    greeting = wire.encode(wire.Connected(server_time=wire.iso(NOON - 120_000)))
    assert link.receive(greeting, at(0)) == [ClockErrorChanged(120_000)]
    corrected = ClockReading(20, NOON - 120_000 + 20_000)
    assert link.clock.now_ms(corrected) == NOON - 120_000 + 20_000
    answer = wire.encode(wire.HeartbeatAck(timestamp=wire.iso(NOON - 120_000 + 20_000)))
    assert link.receive(answer, corrected) == [ClockErrorChanged(0)]
    assert link.clock.error_ms == 0
    assert link.receive(answer, corrected) == []


def test_before_the_first_comparison_this_machines_clock_is_all_there_is():
    assert Link(HeldTicks([]), Login((GOLD,))).clock.now_ms(at(7)) == NOON + 7000


GONE = "MT5_DISCONNECTED", "gone"


def reports(link):
    return [
        (message.code, message.message)
        for message in link.outgoing()
        if isinstance(message, wire.Error)
    ]


def answer(second):
    return wire.encode(wire.HeartbeatAck(timestamp=wire.iso(NOON + second * 1000)))


def test_a_report_is_repeated_until_the_server_has_answered_behind_it():
    link = connected([])
    link.report(*GONE, at(0))
    assert reports(link) == []
    link.receive(auth_ok(), at(1))
    assert link.heartbeat({}, at(1)) is not None
    assert reports(link) == [GONE]
    # This answers the heartbeat before the report: it proves nothing.
    link.receive(answer(2), at(2))
    link.connected(at(3))
    link.receive(auth_ok(), at(3))
    assert reports(link) == [GONE]
    assert reports(link) == []
    assert link.heartbeat({}, at(4)) is not None
    link.receive(answer(4), at(4))
    link.connected(at(5))
    link.receive(auth_ok(), at(5))
    assert reports(link) == []


def test_of_reports_that_wait_the_newest_of_each_code_is_sent():
    link = connected([])
    back = "MT5_RECONNECTED", "back"
    for code, message in (GONE, back, ("MT5_DISCONNECTED", "gone again"), back):
        link.report(code, message, at(0))
    link.receive(auth_ok(), at(1))
    assert reports(link) == [("MT5_DISCONNECTED", "gone again"), back]


def test_a_silent_server_is_given_up():
    link = connected([])
    link.receive(auth_ok(heartbeat_interval=10), at(1))
    assert not link.heartbeats.is_server_silent(26)
    assert link.heartbeats.is_server_silent(26.1)


@pytest.mark.parametrize("code", ["AUTH_FAILED", "TOKEN_EXPIRED", "AUTH_TIMEOUT"])
def test_errors_that_end_the_connection_say_so(code):
    link = connected([])
    error = wire.Error(code=code, message="no", timestamp=wire.iso(NOON))
    assert link.receive(wire.encode(error), at(1)) == [ServerError(code, "no", is_final=True)]


def test_messages_from_the_future_are_passed_over():
    link = connected([])
    assert link.receive('{"type":"weather","sunny":true}', at(1)) == []
    with pytest.raises(wire.BadMessage):
        link.receive("{", at(1))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_the_server_loses_and_however_the_line_breaks_it_ends_up_with_all(data):
    """A server that stores by `seq`, forgets, and drops what is on its way at any moment."""
    times = sorted(data.draw(st.lists(st.integers(0, 20), min_size=1, max_size=30)))
    link = Link(HeldTicks(times), Login((GOLD,), "t"), maximum_in_flight=7)
    stored = []

    def login(second):
        resume_time = stored[-1][1] if stored else None
        link.receive(auth_ok(seq=len(stored), time=resume_time), at(second))

    def send(count):
        for _ in range(count):
            piece = link.next_range(at(0), 4)
            if piece is None:
                return
            for seq in range(piece.after_seq + 1, piece.up_to_seq + 1):
                if seq == len(stored) + 1:
                    stored.append((seq, times[seq - 1]))
            link.deliveries[GOLD].sent(piece.up_to_seq, times[piece.up_to_seq - 1])
            if data.draw(st.booleans()):
                link.receive(wire.encode(wire.Ack(symbol=GOLD, seq=len(stored))), at(0))

    for second in range(data.draw(st.integers(0, 6))):
        if data.draw(st.booleans()):
            link.connected(at(second))
        login(second)
        send(data.draw(st.integers(0, 6)))
        if data.draw(st.booleans()):
            del stored[data.draw(st.integers(0, len(stored))) :]
            login(second)
    link.connected(at(99))
    login(99)
    while link.next_range(at(99), 4):
        send(1)
        link.receive(wire.encode(wire.Ack(symbol=GOLD, seq=len(stored))), at(99))
    assert stored == list(enumerate(times, 1))
