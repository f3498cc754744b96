import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mt5_bridge.broker_time import SERVER_EU, SERVER_US, clock_named
from mt5_bridge.sources.base import SourceError
from mt5_bridge.sources.mt5 import Mt5Source, open_terminal
from mt5_bridge.wire import ErrorCode
from tests.mt5_bridge.terminal import FakeTerminal

NEW_YORK = ZoneInfo("America/New_York")
HOUR = 3_600_000


def ms(*moment):
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


NOON = ms(2025, 7, 16, 12, 0)
# Between the American and the European switch of spring: brokers differ by an hour.
MARCH = ms(2025, 3, 19, 12, 0)


def a_year_of_weeks(until_ms):
    """Return the hours of 56 weeks of gold: Sunday 18:00 to Friday 17:00 in New York."""
    opens = datetime.fromtimestamp(until_ms / 1000, UTC).astimezone(NEW_YORK).replace(tzinfo=None)
    opens -= timedelta(days=opens.weekday() + 1 + 7 * 56)
    rows = []
    for week in range(56):
        start = (opens + timedelta(days=7 * week)).replace(
            hour=18, minute=0, second=0, microsecond=0
        )
        begin = int(start.replace(tzinfo=NEW_YORK).timestamp() * 1000)
        rows += [
            (begin + hour * HOUR, 2000.0, 2001.0, 1999.0, 2000.5, 60)
            for hour in range(119)
            if hour % 24 != 23
        ]
    return rows


def a_terminal(clock, now_ms):
    terminal = FakeTerminal(clock)
    terminal.put_rates(terminal.TIMEFRAME_H1, a_year_of_weeks(now_ms))
    return terminal


def a_source(terminal, now_ms, after_ms=None, **settings):
    source = Mt5Source(terminal, "XAUUSD", **settings)
    source.start(None, 0, now_ms - 1 if after_ms is None else after_ms, now_ms)
    return source


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
    assert f"server clock {clock.name}" in source.description


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
    again = Mt5Source(terminal, "XAUUSD")
    assert again.knows(bookmark)
    assert not again.knows(bookmark.replace("XAUUSD", "EURUSD"))
    again.start(bookmark, 0, None, NOON + 20)
    assert taken(again.poll(NOON + 20)) == same[2:]


def test_the_gap_of_an_outage_comes_from_the_terminals_history_once_it_is_complete():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    terminal.arrive(ticks(NOON, 5))
    assert len(source.poll(NOON + 500).quotes) == 5
    terminal.is_connected = False
    lost = source.poll(NOON + 1000)
    assert [notice.code for notice in lost.notices] == [ErrorCode.MT5_DISCONNECTED]
    assert source.poll(NOON + 2000).notices == ()
    gap = ticks(NOON + 2000, 100)
    terminal.arrive(gap)
    terminal.is_connected, terminal.hidden = True, 40
    back = source.poll(NOON + 20_000)
    assert [notice.code for notice in back.notices] == [ErrorCode.MT5_RECONNECTED]
    assert taken(back) == []
    terminal.hidden = 0
    assert taken(source.poll(NOON + 21_000)) == gap


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
    polls = [source.poll(NOON + 6000 + place) for place in range(3)]
    assert [notice.code for poll in polls for notice in poll.notices] == [ErrorCode.MT5_RECONNECTED]
    assert [row for poll in polls for row in taken(poll)] == ticks(NOON + 5000, 2)


def test_an_account_that_is_refused_is_told_and_tried_again():
    terminal = a_terminal(SERVER_EU, NOON)
    terminal.knows_account = False
    source = a_source(terminal, NOON)
    (notice,) = source.poll(NOON).notices
    assert "-6: Terminal: Authorization failed" in notice.message
    terminal.knows_account = True
    terminal.arrive(ticks(NOON, 1))
    assert sum(len(source.poll(NOON + place).quotes) for place in range(3)) == 1


def test_a_missing_symbol_is_told_once():
    terminal = a_terminal(SERVER_EU, NOON)
    terminal.has_symbol = False
    source = a_source(terminal, NOON)
    notices = [notice for place in range(3) for notice in source.poll(NOON + place).notices]
    assert [notice.code for notice in notices] == [ErrorCode.SYMBOL_UNAVAILABLE]
    terminal.has_symbol = True
    terminal.arrive(ticks(NOON, 1))
    assert len(source.poll(NOON + 10).quotes) == 1


def test_a_clock_that_nothing_tells_is_not_guessed():
    """A terminal without history of the year, in July: five clocks are an hour or more apart."""
    terminal = FakeTerminal(SERVER_EU)
    source = a_source(terminal, NOON)
    terminal.arrive(ticks(NOON - 60_000, 1))
    assert [len(source.poll(NOON + 100 * place).quotes) for place in range(5)] == [0] * 5


def test_live_ticks_tell_the_clock_where_the_year_does_not():
    terminal = FakeTerminal(SERVER_EU)
    source = a_source(terminal, NOON)
    received = []
    for place in range(8):
        terminal.arrive(ticks(NOON + 1000 * place, 1))
        received += taken(source.poll(NOON + 1000 * place + 50))
    assert received == [ticks(NOON + 1000 * place, 1)[0] for place in range(8)]


def test_over_a_switch_that_was_never_seen_ticks_wait_for_live_ones_to_tell():
    """With a few weeks of winter, European and American dates look alike - until March."""
    winter, terminal = ms(2025, 2, 5, 12, 0), FakeTerminal(SERVER_US)
    hours = [row for row in a_year_of_weeks(winter) if row[0] > winter - 70 * 24 * HOUR]
    terminal.put_rates(terminal.TIMEFRAME_H1, hours)
    source = a_source(terminal, winter)
    for place in range(5):
        terminal.arrive(ticks(winter + 1000 * place, 1))
        source.poll(winter + 1000 * place + 50)
    assert "server-eu or server-us" in source.description
    before = ticks(MARCH - 30 * 60_000, 3, 1000)
    terminal.arrive(before)
    assert taken(source.poll(MARCH - 60_000)) == []
    received = []
    for place in range(6):
        terminal.arrive(ticks(MARCH + 1000 * place, 1))
        received += taken(source.poll(MARCH + 1000 * place + 50))
    assert received == [*before, *(ticks(MARCH + 1000 * place, 1)[0] for place in range(6))]
    assert "server clock server-us" in source.description


def test_ticks_are_held_back_when_live_ones_contradict_the_clock():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON, clock="server-eu")
    terminal.clock = clock_named("+05:00")
    polls = []
    for place in range(12):
        terminal.arrive(ticks(NOON + 1000 * place, 1))
        polls.append(source.poll(NOON + 1000 * place + 50))
    notices = [notice for poll in polls for notice in poll.notices]
    assert [notice.code for notice in notices] == [ErrorCode.SYMBOL_UNAVAILABLE]
    assert "+5 h from UTC" in notices[0].message
    assert all(len(poll.quotes) == 0 for poll in polls[4:])


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
    again = Mt5Source(other, "XAUUSD", clock="utc")
    again.start(bookmark, 0, None, NOON + 2000)
    assert taken(again.poll(NOON + 2000)) == ticks(NOON, 8)[5:]


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


def test_the_watermark_trails_the_clock_and_is_none_before_live_ticks():
    terminal = a_terminal(SERVER_EU, NOON)
    source = a_source(terminal, NOON)
    assert source.poll(NOON).watermark_ms is None
    for place in range(4):
        terminal.arrive(ticks(NOON + 1000 * place, 1))
        source.poll(NOON + 1000 * place + 200)
    assert source.poll(NOON + 60_000).watermark_ms == NOON + 60_000 - 15_000 - 200
    terminal.is_connected = False
    assert source.poll(NOON + 70_000).watermark_ms is None


def test_history_stands_on_utc_boundaries_and_ends_before_the_first_tick():
    now_ms = ms(2025, 7, 16, 13, 20)
    terminal = a_terminal(SERVER_EU, now_ms)
    quarters = [
        (at, 2000.0, 2001.0, 1999.0, 2000.5, 10)
        for at in range(now_ms - 400 * HOUR, now_ms, HOUR // 4)
    ]
    quarters = [(at - at % (HOUR // 4), *row) for at, *row in quarters]
    terminal.put_rates(terminal.TIMEFRAME_M15, quarters)
    source = Mt5Source(terminal, "XAUUSD")
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
    source = Mt5Source(terminal, "XAUUSD")
    source.start(None, 0, None, now_ms)
    assert taken(source.poll(now_ms)) == ticks(ms(2025, 7, 16, 12, 0), 3)


def test_foreign_bookmarks_are_not_known():
    source = Mt5Source(FakeTerminal(SERVER_EU), "XAUUSD")
    assert not source.knows("")
    assert not source.knows(json.dumps({"file": "x", "ticks": 5}))


def test_off_windows_it_says_so():
    with pytest.raises(SourceError, match="Windows only"):
        open_terminal("XAUUSD")
