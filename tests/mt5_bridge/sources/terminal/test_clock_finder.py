import numpy as np

from mt5_bridge.files.broker_time import SERVER_EU
from mt5_bridge.protocol.wire import ErrorCode
from mt5_bridge.sources.terminal.clock_finder import ClockFinder
from mt5_bridge.sources.terminal.server_clock import weekly_closes
from tests.mt5_bridge.sources.terminal.test_source import HOUR, NOON, a_year_of_weeks


def closes_of(clock):
    hours = np.array([row[0] for row in a_year_of_weeks(NOON)])
    return weekly_closes(np.array([at + clock.offset_at(at) for at in hours.tolist()]))


def see(finder, offset_ms, count, begin=0.0):
    """Show live ticks, one a second, that are so far ahead of UTC; return the notices."""
    found = [
        finder.saw_live_tick(NOON + offset_ms, NOON, begin + second) for second in range(count)
    ]
    return [notice for notice in found if notice is not None]


def test_the_weeks_of_a_year_are_enough():
    finder = ClockFinder("auto")
    assert finder.needs_weeks(0)
    assert not finder.has_seen_weeks
    assert finder.saw_weeks(closes_of(SERVER_EU), "Broker", 0) is None
    assert finder.evidence.candidates == (SERVER_EU,)
    assert not finder.needs_weeks(10_000)


def test_weeks_that_leave_a_doubt_are_asked_for_again_after_a_while():
    finder = ClockFinder("auto")
    finder.saw_weeks([], "Broker", 0)
    assert not finder.needs_weeks(299)
    assert finder.needs_weeks(300)


def test_a_clock_that_is_given_needs_no_weeks():
    finder = ClockFinder("server-eu")
    assert finder.has_seen_weeks
    assert not finder.needs_weeks(0)
    assert finder.evidence.candidates == (SERVER_EU,)


def test_three_live_ticks_that_agree_narrow_the_clocks():
    finder = ClockFinder("auto")
    many = finder.evidence
    see(finder, 3 * HOUR, 2)
    assert finder.evidence == many
    see(finder, 3 * HOUR, 1)
    assert {clock.offset_at(NOON) for clock in finder.evidence.candidates} == {3 * HOUR}


def test_ticks_that_contradict_the_clock_hold_everything_back_until_they_fit_again():
    finder = ClockFinder("server-eu")
    (notice,) = see(finder, 5 * HOUR, 5)
    assert notice.code is ErrorCode.SYMBOL_UNAVAILABLE
    assert finder.evidence.is_contradictory
    (notice,) = see(finder, 3 * HOUR, 3, begin=10)
    assert notice.code is ErrorCode.MT5_RECONNECTED
    assert finder.evidence.candidates == (SERVER_EU,)


def test_another_clock_is_believed_only_after_a_minute_of_agreement():
    finder = ClockFinder("auto")
    see(finder, 3 * HOUR, 3)
    see(finder, 4 * HOUR, 3, begin=10)
    assert see(finder, 4 * HOUR, 60, begin=20) == []
    (notice,) = see(finder, 4 * HOUR, 1, begin=80)
    assert notice.code is ErrorCode.MT5_RECONNECTED
    assert {clock.offset_at(NOON) for clock in finder.evidence.candidates} == {4 * HOUR}


def test_another_broker_is_met_without_prejudice():
    finder = ClockFinder("auto")
    finder.saw_weeks(closes_of(SERVER_EU), "Broker", 0)
    finder.server_changed()
    assert finder.needs_weeks(1)
    assert len(finder.evidence.candidates) > 2
