from mt5_bridge.protocol import wire
from mt5_bridge.protocol.gateway_clock import ClockReading, GatewayClock
from mt5_bridge.protocol.link_events import ClockErrorChanged

NOON = 1_704_456_000_000


def at(seconds):
    return ClockReading(seconds, NOON + round(seconds * 1000))


def test_before_the_first_comparison_this_machines_clock_is_all_there_is():
    assert GatewayClock().now_ms(at(7)) == NOON + 7000


def test_the_servers_time_is_counted_on_by_the_steady_clock():
    clock = GatewayClock()
    clock.compare(wire.iso(NOON - 2000), at(0))
    assert clock.error_ms == 2000
    assert clock.now_ms(ClockReading(3, NOON + 999_999)) == NOON + 1000


def test_an_error_is_announced_when_it_appears_and_when_it_is_gone():
    clock = GatewayClock()
    assert clock.compare(wire.iso(NOON - 5000), at(0)) == []
    assert clock.compare(wire.iso(NOON - 5001), at(0)) == [ClockErrorChanged(5001)]
    assert clock.compare(wire.iso(NOON - 9000), at(0)) == []
    assert clock.compare(wire.iso(NOON), at(0)) == [ClockErrorChanged(0)]


def test_a_text_that_is_no_time_changes_nothing():
    clock = GatewayClock()
    assert clock.compare("soon", at(0)) == []
    assert clock.now_ms(at(1)) == NOON + 1000
