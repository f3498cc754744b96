from mt5_bridge.protocol import wire
from mt5_bridge.protocol.delivery import CANDLE_MS, Delivery, TickRange
from mt5_bridge.protocol.link_events import (
    Acknowledged,
    NumberingNeeded,
    ReplayNeeded,
    Resumed,
    RoleAssigned,
    SpoolBehind,
)
from mt5_bridge.protocol.wire import Role
from tests.mt5_bridge.held_ticks import HeldTicks

GOLD = "XAUUSD"


def a_delivery(times, first_seq=1):
    delivery = Delivery(GOLD, HeldTicks(times, first_seq))
    assert delivery.assign(Role.ACTIVE) == [RoleAssigned(GOLD, Role.ACTIVE)]
    return delivery


def test_the_position_of_the_server_decides_what_is_to_be_done():
    cases = [
        (a_delivery(None), (7, 5), NumberingNeeded(GOLD, 7, 5)),
        (a_delivery([10, 20]), (3, 90), SpoolBehind(GOLD, 3, 90)),
        (a_delivery([10, 20], first_seq=51), (30, 5), ReplayNeeded(GOLD, 30, 5)),
        (a_delivery([40, 50]), (0, 20), NumberingNeeded(GOLD, 0, 20)),
        (a_delivery([10, 20]), (1, 10), Resumed(GOLD, 1, 10)),
        (a_delivery([10, 20, 30]), (0, 20), Resumed(GOLD, 1, 20)),
        (a_delivery([10, 20, 20, 30]), (0, 20), Resumed(GOLD, 1, 20)),
        (a_delivery([10, 20, 20, 30]), (2, 20), Resumed(GOLD, 2, 20)),
    ]
    for delivery, (seq, time_ms), wanted in cases:
        assert delivery.place(wire.Resume(seq=seq, time=time_ms)) == wanted
        assert delivery.may_send is isinstance(wanted, Resumed)


def test_no_more_than_the_window_is_in_flight():
    delivery = a_delivery(list(range(20)))
    delivery.resume(0, None)
    assert delivery.next_range(6, 10) == TickRange(GOLD, 0, 6)
    delivery.sent(10, 9)
    assert delivery.next_range(6, 10) is None
    assert delivery.acknowledge(7) == [Acknowledged(GOLD, 7)]
    assert delivery.in_flight == 3
    assert delivery.next_range(6, 10) == TickRange(GOLD, 10, 16)


def test_an_acknowledgement_counts_once_and_never_for_what_was_not_sent():
    delivery = a_delivery([10, 20, 30])
    delivery.resume(0, None)
    delivery.sent(2, 20)
    assert delivery.acknowledge(3) == [Acknowledged(GOLD, 2)]
    assert delivery.acknowledge(2) == []


def test_a_watermark_is_reported_behind_every_tick_and_never_backwards():
    delivery = a_delivery([10, 20])
    delivery.resume(0, None)
    assert not delivery.may_report(25)
    delivery.sent(2, 20)
    assert delivery.may_report(20)
    assert not delivery.may_report(19)


def test_a_watermark_ends_a_candle_at_the_next_quarter_hour():
    delivery = a_delivery([CANDLE_MS - 5])
    delivery.resume(0, None)
    delivery.sent(1, CANDLE_MS - 5)
    assert not delivery.ends_candle(CANDLE_MS - 1)
    assert delivery.ends_candle(CANDLE_MS)


def test_a_role_that_stays_is_no_news():
    assert a_delivery([]).assign(Role.ACTIVE) == []
