import json
from datetime import UTC, datetime

import pytest

from mt5_bridge.files.broker_time import SERVER_EU, SERVER_US, clock_named
from mt5_bridge.protocol.wire import ErrorCode
from mt5_bridge.sources.base import SourceError
from mt5_bridge.sources.terminal.opening import TerminalAccount
from mt5_bridge.sources.terminal.source import Mt5Source, open_terminal
from tests.mt5_bridge.terminal import HOUR, FakeTerminal, a_year_of_weeks


def ms(*moment):
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


NOON = ms(2025, 7, 16, 12, 0)
# Between the American and the European switch of spring: brokers differ by an hour.
MARCH = ms(2025, 3, 19, 12, 0)


def a_terminal(clock, now_ms):
    terminal = FakeTerminal(clock)
    terminal.put_rates(terminal.TIMEFRAME_H1, a_year_of_weeks(now_ms))
    return terminal


def quarters(now_ms):
    """Return M15 candles of the last 400 hours."""
    rows = [
        (at, 2000.0, 2001.0, 1999.0, 2000.5, 10)
        for at in range(now_ms - 400 * HOUR, now_ms, HOUR // 4)
    ]
    return [(at - at % (HOUR // 4), *row) for at, *row in rows]


class Source(Mt5Source):
    """A source whose steady clock goes with the time of its polls; `wrong_ms` is the other's."""

    wrong_ms = 0

    def __init__(self, terminal, **settings):
        self.at_ms = 0
        super().__init__(terminal, "XAUUSD", seconds=lambda: self.at_ms / 1000, **settings)

    def poll(self, now_ms):
        self.at_ms = now_ms
        return super().poll(now_ms + self.wrong_ms)

    def settle(self, now_ms):
        """Poll for as long as the history has to stand still, up to now; return the polls."""
        return [self.poll(now_ms + place * 1000) for place in range(-32, 1)]


def a_source(terminal, now_ms, after_ms=None, **settings):
    """Return a source that stands behind a time, by default that of now, and reads live."""
    source = Source(terminal, **settings)
    source.start(None, 0, now_ms - 1 if after_ms is None else after_ms, now_ms)
    if settings.get("clock", "auto") == "auto":
        witness(terminal, source, now_ms - 40_000)
    source.settle(now_ms - 1)
    return source


def witness(terminal, source, start_ms):
    """Let live ticks show the server's clock."""
    for place in range(5):
        terminal.arrive([(start_ms + place * 1000, 1999.0, 1999.3)])
        source.poll(start_ms + place * 1000 + 50)


def ticks(start_ms, count, step_ms=100):
    return [
        (start_ms + place * step_ms, 2000.0 + place / 100, 2000.3 + place / 100)
        for place in range(count)
    ]


def taken(poll):
    return [(time_ms, bid, ask) for time_ms, bid, ask, _, _ in poll.quotes.rows()]


@pytest.mark.parametrize("clock", [SERVER_EU, SERVER_US])
@pytest.mark.parametrize("now_ms", [NOON, MARCH])
def test_broker_time_becomes_utc_whatever_dates_the_broker_keeps(clock, now_ms):
    terminal = a_terminal(clock, now_ms)
    source = a_source(terminal, now_ms)
    terminal.arrive(ticks(now_ms, 3))
    assert taken(source.poll(now_ms + 300)) == ticks(now_ms, 3)
    assert (
        f"(connected; server clock {clock.name}; build 4755, ping 23 ms, AutoTrading off)"
        in source.description
    )


def test_ticks_of_one_millisecond_are_taken_once_however_they_arrive():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    same = [(NOON + 5, 2000.0 + place, 2000.5 + place) for place in range(4)]
    terminal.arrive(same[:1])
    assert taken(source.poll(NOON + 10)) == same[:1]
    terminal.arrive(same[1:3])
    assert taken(source.poll(NOON + 20)) == same[1:3]
    assert taken(source.poll(NOON + 30)) == []
    terminal.arrive([*same[3:], (NOON + 6, 2010.0, 2010.5)])
    assert taken(source.poll(NOON + 40)) == [*same[3:], (NOON + 6, 2010.0, 2010.5)]


def test_a_bookmark_continues_behind_the_last_tick_of_its_millisecond():
    terminal = a_terminal(SERVER_US, NOON)
    source = a_source(terminal, NOON)
    same = [(NOON + 5, 2000.0 + place, 2000.5 + place) for place in range(3)]
    terminal.arrive(same[:2])
    bookmark = source.poll(NOON + 10).bookmark
    terminal.arrive(same[2:])
    again = Source(terminal, clock="server-us")
    assert again.knows(bookmark)
    assert not again.knows(bookmark.replace("XAUUSD", "EURUSD"))
    again.start(bookmark, 0, None, NOON + 20)
    assert [taken(poll) for poll in again.settle(NOON + 50_000) if taken(poll)] == [same[2:]]


def an_outage(terminal, source):
    """Lose the line to the broker for 10 s, 20 s after noon; 5 ticks had come before."""
    terminal.arrive(ticks(NOON, 5))
    assert len(source.poll(NOON + 500).quotes) == 5
    terminal.is_connected = False
    lost = source.poll(NOON + 20_000)
    assert [notice.code for notice in lost.notices] == [ErrorCode.MT5_DISCONNECTED]
    assert source.poll(NOON + 21_000).notices == ()
    terminal.is_connected = True


def live(terminal, source, start_ms, seconds):
    """Let a tick come each second; return the polls after them, and the ticks."""
    polls, came = [], []
    for place in range(seconds):
        came += ticks(start_ms + place * 1000, 1)
        terminal.arrive(came[-1:])
        polls.append(source.poll(start_ms + place * 1000 + 50))
    return polls, came


def test_a_gap_that_the_terminal_fills_after_live_ticks_is_waited_for():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    an_outage(terminal, source)
    gap = ticks(NOON + 20_000, 100)
    terminal.arrive(gap)
    terminal.miss(NOON + 20_000, NOON + 30_000)
    first, came = live(terminal, source, NOON + 31_000, 3)
    assert [notice.code for poll in first for notice in poll.notices] == [ErrorCode.MT5_RECONNECTED]
    terminal.missing = (0, 0)
    second, more = live(terminal, source, NOON + 34_000, 35)
    received = [row for poll in [*first, *second] for row in taken(poll)]
    assert received == [*gap, *came, *more]


def test_a_long_gap_is_used_only_after_it_has_stood_still_for_half_a_minute():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    an_outage(terminal, source)
    gap = ticks(NOON + 22_000, 600, 1000)
    terminal.arrive(gap)
    back = NOON + 22_000 + 600_000
    polls = []
    for filled in (100, 200, 600):
        terminal.miss(NOON + 22_000 + filled * 1000, back)
        polls += live(terminal, source, back + 100 * filled, 20)[0]
        assert [row for poll in polls for row in taken(poll)] == []
    polls += live(terminal, source, back + 90_000, 20)[0]
    received = [row for poll in polls for row in taken(poll)]
    assert received[:600] == gap
    assert received[600][0] == back + 10_000


def test_what_the_terminal_gives_with_an_error_is_a_part_and_waits():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    terminal.arrive(ticks(NOON, 5))
    terminal.is_partial = True
    assert taken(source.poll(NOON + 600)) == []
    terminal.is_partial = False
    assert taken(source.poll(NOON + 1600)) == ticks(NOON, 5)


def test_a_tick_that_comes_after_newer_ones_is_given_once():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    terminal.arrive(ticks(NOON + 20_000, 5))
    assert len(source.poll(NOON + 21_000).quotes) == 5
    late = [(NOON + 6_000, 1990.0, 1990.3), (NOON + 20_100, 2000.01, 2000.31)]
    terminal.arrive(late)
    assert taken(source.poll(NOON + 21_100)) == late
    assert taken(source.poll(NOON + 21_200)) == []
    terminal.arrive(ticks(NOON + 22_000, 1))
    assert taken(source.poll(NOON + 22_100)) == ticks(NOON + 22_000, 1)


def test_a_history_that_tells_flags_and_volumes_otherwise_repeats_nothing():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    terminal.arrive(ticks(NOON, 20))
    assert len(source.poll(NOON + 2_000).quotes) == 20
    terminal.replay()
    assert taken(source.poll(NOON + 2_100)) == []


def test_what_was_handed_over_before_the_bookmark_is_never_new():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    terminal.arrive(ticks(NOON, 200))
    bookmark = source.poll(NOON + 20_000).bookmark
    terminal.miss(NOON + 5_000, NOON + 15_000)
    again = Source(terminal, clock="server-eu")
    again.start(bookmark, 0, None, NOON + 30_000)
    polls = again.settle(NOON + 62_000)
    terminal.missing = (0, 0)
    polls += live(terminal, again, NOON + 62_000, 5)[0]
    assert [time_ms for poll in polls for time_ms, *_ in taken(poll)] == [
        NOON + 62_000 + place * 1000 for place in range(5)
    ]


def test_a_tick_of_the_future_waits_and_holds_nothing_up():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    source.wrong_ms = -300_000
    terminal.arrive(ticks(NOON, 2))
    assert taken(source.poll(NOON + 300)) == []
    source.wrong_ms = 0
    strange = (NOON + 24 * HOUR, 2000.0, 2000.3)
    terminal.arrive([strange])
    assert taken(source.poll(NOON + 400)) == ticks(NOON, 2)
    terminal.arrive(ticks(NOON + 500, 2))
    assert taken(source.poll(NOON + 800)) == ticks(NOON + 500, 2)


def test_a_terminal_that_was_closed_is_opened_again():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    terminal.arrive(ticks(NOON, 1))
    source.poll(NOON + 100)
    terminal.is_running = False
    poll = source.poll(NOON + 200)
    (notice,) = poll.notices
    assert notice.code is ErrorCode.MT5_DISCONNECTED
    assert "-10004: No IPC connection" in notice.message
    waits = [source.poll(NOON + 300 + place).wait for place in range(6)]
    assert waits == [2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
    terminal.is_running = True
    terminal.arrive(ticks(NOON + 5000, 2))
    polls = source.settle(NOON + 40_000)
    assert [notice.code for poll in polls for notice in poll.notices] == [ErrorCode.MT5_RECONNECTED]
    assert [row for poll in polls for row in taken(poll)] == ticks(NOON + 5000, 2)


def test_an_account_that_is_refused_is_told_and_tried_again():
    terminal = a_terminal(SERVER_EU, NOON)
    terminal.knows_account = False
    source = Source(terminal, clock="server-eu")
    source.start(None, 0, NOON - 1, NOON)
    (notice,) = source.poll(NOON).notices
    assert "-6: Terminal: Authorization failed" in notice.message
    terminal.knows_account = True
    terminal.arrive(ticks(NOON, 1))
    assert sum(len(poll.quotes) for poll in source.settle(NOON + 40_000)) == 1


def test_the_first_look_tells_how_the_terminal_is():
    """The server may remember a loss from before this program was started."""
    terminal = a_terminal(SERVER_EU, NOON)
    source = Source(terminal)
    source.start(None, 0, NOON - 1, NOON)
    notices = [notice for poll in source.settle(NOON) for notice in poll.notices]
    assert [notice.code for notice in notices] == [ErrorCode.MT5_RECONNECTED]
    assert "Broker-Demo" in notices[0].message


def test_a_missing_symbol_is_told_once_and_that_it_is_back():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    terminal.has_symbol = False
    notices = [notice for place in range(3) for notice in source.poll(NOON + place).notices]
    assert [notice.code for notice in notices] == [ErrorCode.SYMBOL_UNAVAILABLE]
    terminal.has_symbol = True
    terminal.arrive(ticks(NOON, 1))
    polls = source.settle(NOON + 40_000)
    assert [notice.code for poll in polls for notice in poll.notices] == [ErrorCode.MT5_RECONNECTED]
    assert sum(len(poll.quotes) for poll in polls) == 1


def test_a_missing_symbol_is_answered_with_those_that_may_be_meant():
    terminal = a_terminal(SERVER_EU, NOON)
    terminal.symbol = "XAUUSD.r"
    terminal.elsewhere = {"EURUSD.r": NOON, "GOLD": NOON}
    source = Source(terminal)
    source.start(None, 0, NOON - 1, NOON)
    (notice,) = source.poll(NOON).notices
    assert notice.message == (
        "the terminal has no symbol XAUUSD (-1: Terminal: Call failed); it has GOLD, XAUUSD.r: "
        "give the one that is meant with --terminal-symbol"
    )
    assert source.trouble == notice.message


def test_a_symbol_is_read_under_the_brokers_name_and_sent_under_ours():
    terminal = a_terminal(SERVER_EU, NOON)
    terminal.symbol = "XAUUSD.r"
    source = a_source(terminal, NOON, broker_symbol="XAUUSD.r")
    terminal.put_rates(terminal.TIMEFRAME_M15, quarters(NOON))
    terminal.arrive(ticks(NOON, 3))
    poll = source.poll(NOON + 300)
    assert taken(poll) == ticks(NOON, 3)
    assert source.symbol == "XAUUSD"
    assert {history.symbol for history in source.history(NOON)} == {"XAUUSD"}
    assert source.description.startswith("XAUUSD as XAUUSD.r from Broker-Demo (connected; ")
    assert source.knows(poll.bookmark)
    assert not Source(terminal).knows(poll.bookmark)


def test_the_interval_of_polls_may_be_set():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON, poll_interval=0.5)
    assert source.poll(NOON + 300).wait == 0.5


def codes_of(source, start_ms, seconds):
    return [
        notice.code
        for place in range(seconds)
        for notice in source.poll(start_ms + place * 1000).notices
    ]


def test_a_terminal_that_gives_no_ticks_for_long_counts_as_lost():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    terminal.gives_ticks = False
    assert codes_of(source, NOON, 30) == []
    assert codes_of(source, NOON + 30_000, 300) == [ErrorCode.MT5_DISCONNECTED]
    assert "NOT CONNECTED" in source.description
    terminal.arrive(ticks(NOON, 200, 1000))
    terminal.gives_ticks = True
    polls = source.settle(NOON + 400_000)
    assert [notice.code for poll in polls for notice in poll.notices] == [ErrorCode.MT5_RECONNECTED]
    assert [row for poll in polls for row in taken(poll)] == ticks(NOON, 200, 1000)


def test_a_terminal_without_candles_to_tell_its_clock_counts_as_lost():
    terminal = a_terminal(SERVER_EU, NOON)
    terminal.gives_rates = False
    source = Source(terminal)
    source.start(None, 0, NOON - 1, NOON)
    assert codes_of(source, NOON, 40) == [
        ErrorCode.MT5_RECONNECTED,
        ErrorCode.MT5_DISCONNECTED,
    ]
    terminal.gives_rates = True
    terminal.arrive(ticks(NOON, 3))
    polls, came = live(terminal, source, NOON + 42_000, 40)
    assert [row for poll in polls for row in taken(poll)] == [*ticks(NOON, 3), *came]


def test_an_account_of_another_broker_is_noticed_without_an_outage():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    terminal.arrive(ticks(NOON, 5))
    assert len(source.poll(NOON + 500).quotes) == 5
    terminal.change_account(456, "Other-Live", clock_named("UTC+0"))
    terminal.put_rates(terminal.TIMEFRAME_H1, [])
    polls, came = live(terminal, source, NOON + 1_000, 40)
    assert "Other-Live (connected; server clock UTC+0;" in source.description
    assert [row for poll in polls for row in taken(poll)] == came


def test_a_user_who_changes_the_account_is_not_overruled_and_may_change_it_back():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON, account=TerminalAccount(login=123))
    terminal.arrive(ticks(NOON, 5))
    assert len(source.poll(NOON + 500).quotes) == 5
    terminal.change_account(456, "Other-Live", SERVER_US)
    (notice,) = source.poll(NOON + 1000).notices
    assert notice.code is ErrorCode.MT5_DISCONNECTED
    assert "logged in to account 456 at Other-Live, and this connector is for 123" in notice.message
    assert terminal.logins == []
    terminal.change_account(123, "Broker-Demo", SERVER_EU)
    terminal.arrive(ticks(NOON, 8))
    polls = source.settle(NOON + 40_000)
    assert [notice.code for poll in polls for notice in poll.notices] == [ErrorCode.MT5_RECONNECTED]
    assert [row for poll in polls for row in taken(poll)] == ticks(NOON, 8)[5:]


def test_an_hour_of_errors_is_one_outage_and_nothing_is_lost():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    terminal.arrive(ticks(NOON, 5))
    assert len(source.poll(NOON + 500).quotes) == 5
    opened = terminal.opened
    terminal.failures = {"copy_ticks_from": (-10002, "IPC recv failed")}
    codes = codes_of(source, NOON + 1000, 3600)
    assert codes == [ErrorCode.MT5_DISCONNECTED]
    assert terminal.opened - opened > 200
    terminal.failures = {}
    terminal.arrive(ticks(NOON + 1000, 2000, 1000))
    polls = source.settle(NOON + 3_700_000)
    assert [notice.code for poll in polls for notice in poll.notices] == [ErrorCode.MT5_RECONNECTED]
    assert [row for poll in polls for row in taken(poll)] == ticks(NOON + 1000, 2000, 1000)


@pytest.mark.parametrize("code", [-1, -4])
def test_a_start_at_a_weekend_where_an_empty_interval_is_an_error_is_no_outage(code):
    saturday = ms(2025, 3, 29, 12, 0)
    terminal = a_terminal(SERVER_EU, saturday)
    terminal.arrive(ticks(ms(2025, 3, 28, 20, 58), 20, 1000))
    terminal.failures = {"copy_ticks_from": (code, "Terminal: Call failed")}
    source = Source(terminal, clock="server-eu")
    source.start(None, 0, None, saturday)
    codes = codes_of(source, saturday, 600)
    assert codes == [ErrorCode.MT5_RECONNECTED]
    sunday = ms(2025, 3, 30, 22, 0)
    terminal.failures = {}
    polls, came = live(terminal, source, sunday, 40)
    assert [row for poll in polls for row in taken(poll)] == came


def test_a_clock_that_nothing_tells_is_not_guessed():
    """A terminal without history of the year, in July: five clocks are an hour or more apart."""
    terminal = FakeTerminal(SERVER_EU)
    source = a_source(terminal, NOON)
    terminal.arrive(ticks(NOON - 60_000, 1))
    assert [len(source.poll(NOON + 1000 * place).quotes) for place in range(50)] == [0] * 50


def test_live_ticks_tell_the_clock_where_the_year_does_not():
    terminal = FakeTerminal(SERVER_EU)
    source = a_source(terminal, NOON)
    polls, came = live(terminal, source, NOON, 40)
    assert [row for poll in polls for row in taken(poll)] == came


BROKERS = ("Europe/Berlin", "Europe/London", "America/New_York", "+05:30", "+03:30", "server-us")


@pytest.mark.parametrize("name", BROKERS)
def test_a_brokers_clock_is_believed_once_live_ticks_have_shown_it(name):
    """The weekly close of a broker on Central European Time looks like server-eu's, an hour off."""
    terminal = a_terminal(clock_named(name), NOON)
    terminal.put_rates(terminal.TIMEFRAME_M15, quarters(NOON))
    gap = ticks(NOON - 600_000, 20)
    terminal.arrive(gap)
    source = Source(terminal)
    source.start(None, 0, NOON - 600_001, NOON)
    polls = source.settle(NOON - 1000)
    assert all(len(poll.quotes) == 0 and not poll.has_history for poll in polls)
    assert source.history(NOON) == []

    polls, came = live(terminal, source, NOON, 40)

    assert [row for poll in polls for row in taken(poll)] == [*gap, *came]
    asked = [poll.has_history for poll in polls]
    assert asked.count(True) == 1
    assert all(len(poll.quotes) == 0 for poll in polls[: asked.index(True) + 1])
    (history,) = (each for each in source.history(NOON) if each.timeframe == "M15")
    assert history.rows[-1].time_ms == ms(2025, 7, 16, 11, 30)


def test_a_clock_that_is_given_needs_no_live_tick():
    terminal = a_terminal(SERVER_EU, NOON)
    terminal.arrive(ticks(NOON, 3))
    source = Source(terminal, clock="server-eu")
    source.start(None, 0, NOON - 1, NOON)
    polls = source.settle(NOON + 40_000)
    assert [row for poll in polls for row in taken(poll)] == ticks(NOON, 3)


def test_a_corrected_clock_has_the_history_sent_again():
    terminal = FakeTerminal(SERVER_EU)
    source = Source(terminal)
    source.wrong_ms = -HOUR
    source.start(None, 0, NOON - 1, NOON)
    wrong, _ = live(terminal, source, NOON, 40)
    source.wrong_ms = 0
    right, _ = live(terminal, source, NOON + 40_000, 120)
    assert [poll.has_history for poll in wrong].count(True) == 1
    assert [poll.has_history for poll in right].count(True) == 1


def test_over_a_switch_that_was_never_seen_ticks_wait_for_live_ones_to_tell():
    """With a few weeks of winter, European and American dates look alike - until March."""
    winter, terminal = ms(2025, 2, 5, 12, 0), FakeTerminal(SERVER_US)
    hours = [row for row in a_year_of_weeks(winter) if row[0] > winter - 70 * 24 * HOUR]
    terminal.put_rates(terminal.TIMEFRAME_H1, hours)
    source = a_source(terminal, winter)
    polls, came = live(terminal, source, winter, 40)
    assert [row for poll in polls for row in taken(poll)] == came
    assert "server-eu or server-us" in source.description
    before = ticks(MARCH - 30 * 60_000, 3, 1000)
    terminal.arrive(before)
    assert taken(source.poll(MARCH - 60_000)) == []
    polls, came = live(terminal, source, MARCH, 6)
    assert [row for poll in polls for row in taken(poll)] == [*before, *came]
    assert "server clock server-us" in source.description


def test_weeks_that_a_new_terminal_has_fetched_later_tell_the_clock():
    terminal = FakeTerminal(SERVER_US)
    source = a_source(terminal, MARCH)
    assert "server-us or UTC+3" in source.description
    terminal.put_rates(terminal.TIMEFRAME_H1, a_year_of_weeks(MARCH))
    source.poll(MARCH + 200_000)
    assert "server-us or UTC+3" in source.description
    source.poll(MARCH + 300_000)
    assert "server clock server-us" in source.description


def test_weeks_that_fit_no_clock_are_told_and_nothing_is_used():
    terminal = FakeTerminal(SERVER_EU)
    week_long = 119 - 4
    shifted = [
        (at + (index // week_long % 5) * HOUR, *prices)
        for index, (at, *prices) in enumerate(a_year_of_weeks(NOON))
    ]
    terminal.put_rates(terminal.TIMEFRAME_H1, shifted)
    source = Source(terminal)
    source.start(None, 0, NOON - 1, NOON)
    notices = [notice for poll in source.settle(NOON) for notice in poll.notices]
    assert [notice.code for notice in notices][1:] == [ErrorCode.SYMBOL_UNAVAILABLE]
    assert "fit no clock" in notices[1].message


@pytest.mark.parametrize("clock", ["server-eu", "auto"])
def test_ticks_are_held_back_when_live_ones_contradict_the_clock(clock):
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON, clock=clock)
    terminal.clock = clock_named("+05:00")
    polls, _ = live(terminal, source, NOON, 100)
    notices = [notice for poll in polls for notice in poll.notices]
    assert [notice.code for notice in notices] == [ErrorCode.SYMBOL_UNAVAILABLE]
    assert "+5 h from UTC" in notices[0].message
    assert all(len(poll.quotes) == 0 for poll in polls)


@pytest.mark.parametrize("wrong_ms", [-HOUR, HOUR])
def test_a_machine_whose_clock_was_wrong_for_a_while_loses_nothing(wrong_ms):
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    source.wrong_ms = wrong_ms
    wrong, early = live(terminal, source, NOON, 6)
    source.wrong_ms = 0
    right, later = live(terminal, source, NOON + 6_000, 54)
    assert [row for poll in [*wrong, *right] for row in taken(poll)] == [*early, *later]
    assert [notice.code for poll in [*wrong, *right] for notice in poll.notices] == [
        ErrorCode.SYMBOL_UNAVAILABLE,
        ErrorCode.MT5_RECONNECTED,
    ]


def test_a_clock_that_was_learnt_from_a_wrong_one_is_unlearnt_after_a_minute():
    terminal = FakeTerminal(SERVER_EU)
    source = Source(terminal)
    source.wrong_ms = -HOUR
    source.start(None, 0, NOON - 1, NOON)
    live(terminal, source, NOON, 6)
    assert "server clock UTC+4" in source.description
    source.wrong_ms = 0
    live(terminal, source, NOON + 6_000, 20)
    assert "server clock unknown" in source.description
    live(terminal, source, NOON + 26_000, 60)
    assert "server clock server-eu or server-us or UTC+3" in source.description


def test_a_weekend_is_no_outage_and_nothing_is_repeated_after_it():
    friday, sunday = ms(2025, 3, 28, 20, 59), ms(2025, 3, 30, 22, 0)
    terminal = a_terminal(SERVER_EU, friday)
    source = a_source(terminal, friday)
    terminal.arrive(ticks(friday, 5, 1000))
    assert len(source.poll(friday + 5000).quotes) == 5
    quiet = [source.poll(friday + 5000 + hour * HOUR) for hour in range(1, 48, 6)]
    assert all(len(poll.quotes) == 0 and poll.notices == () for poll in quiet)
    # Europe put its clocks forward on this Sunday.
    terminal.arrive(ticks(sunday, 3, 1000))
    assert taken(source.poll(sunday + 3000)) == ticks(sunday, 3, 1000)


def test_another_broker_is_read_from_where_the_first_one_ended():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    terminal.arrive(ticks(NOON, 5))
    bookmark = source.poll(NOON + 1000).bookmark
    other = a_terminal(clock_named("UTC"), NOON)
    other.server = "Other-Live"
    other.put_rates(other.TIMEFRAME_H1, a_year_of_weeks(NOON))
    other.arrive(ticks(NOON, 8))
    again = Source(other, clock="utc")
    again.start(bookmark, 0, None, NOON + 2000)
    polls = again.settle(NOON + 40_000)
    assert [row for poll in polls for row in taken(poll)] == ticks(NOON, 8)[5:]


def test_long_gaps_are_fetched_in_pages():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    many = ticks(NOON, 45_000, 10)
    terminal.arrive(many)
    received, polls = [], 0
    while len(received) < len(many):
        poll = source.poll(NOON + 500_000)
        received += taken(poll)
        polls += 1
        assert poll.wait == 0.0 or len(received) == len(many)
    assert received == many
    assert polls == 3


def test_the_watermark_trails_live_ticks_and_is_none_before_them():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON, clock="server-eu")
    assert source.poll(NOON).watermark_ms is None
    polls, _ = live(terminal, source, NOON, 4)
    assert polls[-1].watermark_ms == NOON + 3000 - 15_000
    terminal.is_connected = False
    assert source.poll(NOON + 4_000).watermark_ms is None


def test_a_dead_line_that_looks_connected_does_not_move_the_watermark():
    """The last sign of life counts; only a silence that the terminal would notice counts, too."""
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    live(terminal, source, NOON, 4)
    marks = [source.poll(NOON + 3_050 + 1000 * place).watermark_ms for place in range(1, 601)]
    assert set(marks[:285]) == {NOON + 3000 - 15_000}
    assert marks[-1] == NOON + 603_000 - 300_000


def test_ticks_of_other_symbols_show_that_the_line_lives():
    terminal = a_terminal(SERVER_EU, NOON)
    terminal.elsewhere = {"EURUSD": NOON}
    source = a_source(terminal, NOON)
    live(terminal, source, NOON, 4)
    for place in range(4, 60):
        terminal.elsewhere["EURUSD"] = NOON + 1000 * place
        watermark_ms = source.poll(NOON + 1000 * place + 50).watermark_ms
    assert watermark_ms == NOON + 58_000 - 15_000


def test_a_jump_of_this_machines_clock_does_not_move_the_watermark():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    live(terminal, source, NOON, 4)
    source.wrong_ms = 20 * 60_000
    assert source.poll(NOON + 4_000).watermark_ms == NOON + 3_000 - 15_000


def test_history_stands_on_utc_boundaries_and_ends_before_the_first_tick():
    now_ms = ms(2025, 7, 16, 13, 20)
    terminal = a_terminal(SERVER_EU, now_ms)
    terminal.put_rates(terminal.TIMEFRAME_M15, quarters(now_ms))
    source = Mt5Source(terminal, "XAUUSD", clock="server-eu")
    source.start(None, 0, None, now_ms)
    by_timeframe = {history.timeframe: history.rows for history in source.history(now_ms)}
    assert {name: len(rows) for name, rows in by_timeframe.items()} == {
        "M15": 500,
        "H1": 398,
        "H4": 99,
    }
    assert by_timeframe["H4"][-1].time_ms == ms(2025, 7, 16, 8, 0)
    assert by_timeframe["M15"][-1].time_ms == ms(2025, 7, 16, 11, 45)
    assert by_timeframe["H4"][-1].volume == 160


def test_without_any_place_ticks_begin_with_the_h4_candle_of_now():
    now_ms = ms(2025, 7, 16, 13, 20)
    terminal = a_terminal(SERVER_EU, now_ms)
    terminal.arrive([(now_ms - 2 * HOUR, 1990.0, 1990.5), *ticks(ms(2025, 7, 16, 12, 0), 3)])
    source = Source(terminal, clock="server-eu")
    source.start(None, 0, None, now_ms)
    polls = source.settle(now_ms)
    assert [row for poll in polls for row in taken(poll)] == ticks(ms(2025, 7, 16, 12, 0), 3)


def test_foreign_bookmarks_are_not_known():
    source = Mt5Source(FakeTerminal(SERVER_EU), "XAUUSD")
    assert not source.knows("")
    assert not source.knows(json.dumps({"file": "x", "ticks": 5}))


def test_off_windows_it_says_so():
    with pytest.raises(SourceError, match="Windows only"):
        open_terminal("XAUUSD")
