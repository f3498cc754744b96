import numpy as np
import pytest

from mt5_bridge.files.text_files import TickFileError
from mt5_bridge.protocol.quote_filter import LastGood, QuoteFilter
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.sources.base import SourceError
from mt5_bridge.sources.pace import CLOSED_MS, Pace
from mt5_bridge.sources.replay import ReplaySource
from mt5_bridge.sources.simulated.market import trading_week, week_number
from mt5_bridge.sources.simulated.source import DAY_MS, SimulatedSource

NOON = 1_704_456_000_000
# A Wednesday.
NOW = 1_763_553_600_000


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def write(folder, times, name="XAUUSD_ticks.csv"):
    path = folder / name
    rows = "".join(f"{time_ms},{10 + place},{11 + place}\n" for place, time_ms in enumerate(times))
    path.write_text("timestamp_ms,bid,ask\n" + rows)
    return path


def drained(source, now_ms=0):
    polls = []
    while not (polls and polls[-1].is_done):
        polls.append(source.poll(now_ms))
    return polls


def times_of(polls):
    return [time_ms for poll in polls for time_ms in poll.quotes.time_ms.tolist()]


def test_a_clock_of_market_time_runs_at_its_speed_and_skips_closed_hours():
    clock = Clock()
    pace = Pace(10, clock)
    assert pace.reach(NOON) == NOON
    clock.seconds = 2.0
    assert pace.reach(NOON + 5000) == NOON + 20_000
    monday = NOON + 20_000 + CLOSED_MS + 1
    assert pace.reach(monday) == monday
    clock.seconds = 3.0
    assert pace.reach(monday) == monday + 10_000
    assert Pace(None, clock).reach(NOON) > NOON * 1000


def test_a_replay_gives_the_file_and_is_done(tmp_path):
    source = ReplaySource(write(tmp_path, [NOON, NOON + 1, NOON + 1]), "XAUUSD")
    source.start(None, 0, None, 0)
    first, last = drained(source)
    assert first.quotes == Quotes.of(
        [(NOON, 10.0, 11.0), (NOON + 1, 11.0, 12.0), (NOON + 1, 12.0, 13.0)]
    )
    # The next tick might have been of the same millisecond.
    assert (first.watermark_ms, last.watermark_ms) == (NOON, NOON + 1)


def test_a_replay_keeps_its_speed(tmp_path):
    clock = Clock()
    path = write(tmp_path, [NOON, NOON + 1000, NOON + 2000])
    source = ReplaySource(path, "XAUUSD", speed=10, clock=clock)
    source.start(None, 0, None, 0)
    assert times_of([source.poll(0)]) == [NOON]
    clock.seconds = 0.1
    assert times_of([source.poll(0)]) == [NOON + 1000]
    assert times_of([source.poll(0)]) == []
    clock.seconds = 0.25
    assert times_of([source.poll(0)]) == [NOON + 2000]


def test_a_replay_continues_behind_its_bookmark_or_some_ticks_before(tmp_path):
    clock = Clock()
    times = [NOON + 10_000 * place for place in range(6)]
    path = write(tmp_path, times)
    source = ReplaySource(path, "XAUUSD", speed=1, clock=clock)
    source.start(None, 0, None, 0)
    clock.seconds = 0.0
    source.poll(0)
    clock.seconds = 21.0
    bookmark = source.poll(0).bookmark
    again = ReplaySource(path, "XAUUSD")
    assert again.knows(bookmark)
    again.start(bookmark, 0, None, 0)
    assert times_of(drained(again)) == times[3:]
    again.start(bookmark, 2, None, 0)
    assert times_of(drained(again)) == times[1:]
    again.start(bookmark, 99, None, 0)
    assert times_of(drained(again)) == times


def test_a_replay_without_bookmark_begins_behind_the_servers_last_tick(tmp_path):
    source = ReplaySource(write(tmp_path, [NOON, NOON + 1, NOON + 2]), "XAUUSD")
    source.start(None, 0, NOON + 1, 0)
    assert times_of(drained(source)) == [NOON + 2]
    source.start(None, 0, NOON + 9, 0)
    assert times_of(drained(source)) == []


def test_a_bookmark_of_another_file_is_not_known(tmp_path):
    first = ReplaySource(write(tmp_path, [NOON]), "XAUUSD")
    first.start(None, 0, None, 0)
    bookmark = first.poll(0).bookmark
    other = ReplaySource(write(tmp_path, [NOON, NOON + 1], "XAUUSD_other.csv"), "XAUUSD")
    assert not other.knows(bookmark)
    assert not other.knows("")
    other.start(bookmark, 0, None, 0)
    assert len(times_of(drained(other))) == 2


def test_jumps_are_left_out_and_counted(tmp_path):
    path = tmp_path / "XAUUSD.csv"
    path.write_text(f"timestamp_ms,bid,ask\n{NOON},10,11\n{NOON},90,91\n{NOON},10,11\n")
    source = ReplaySource(path, "XAUUSD")
    source.start(None, 0, None, 0)
    poll = source.poll(0)
    assert (len(poll.quotes), poll.refused) == (2, 1)


def test_a_file_that_turned_bad_ends_the_replay(tmp_path):
    path = write(tmp_path, [NOON])
    source = ReplaySource(path, "XAUUSD")
    path.write_text(path.read_text() + "oops\n")
    source.start(None, 0, None, 0)
    with pytest.raises(SourceError, match="line 3"):
        drained(source)
    with pytest.raises(TickFileError, match="there is no file"):
        ReplaySource(tmp_path / "none.csv", "XAUUSD")


def test_the_history_of_a_replay_ends_where_its_ticks_begin(tmp_path):
    (tmp_path / "XAUUSD_M15.csv").write_text(
        "timestamp,open,high,low,close\n"
        "2024-01-05T11:45:00Z,1,1,1,1\n2024-01-05T12:00:00Z,1,1,1,1\n"
    )
    source = ReplaySource(write(tmp_path, [NOON]), "XAUUSD", history=tmp_path)
    assert [row.time_ms for row in source.history(0)[0].rows] == [NOON - 900_000]


def a_simulation(**settings):
    return SimulatedSource("XAUUSD", seed=7, **settings)


def everything(source, now_ms):
    parts = []
    while True:
        poll = source.poll(now_ms)
        if not len(poll.quotes):
            return Quotes.join(parts), poll
        parts.append(poll.quotes)


def test_the_made_up_market_depends_on_seed_and_time_alone():
    early, late = a_simulation(speed=None), a_simulation(speed=None, from_ms=NOW - 2 * DAY_MS)
    early.start(None, 0, None, NOW)
    late.start(None, 0, None, NOW)
    long, _ = everything(early, NOW)
    short, _ = everything(late, NOW)
    assert long.part(len(long) - len(short)) == short
    other = SimulatedSource("XAUUSD", seed=8, speed=None, from_ms=NOW - 2 * DAY_MS)
    other.start(None, 0, None, NOW)
    assert everything(other, NOW)[0] != short


def test_made_up_ticks_are_good_ones_and_never_of_the_future():
    source = a_simulation(speed=None)
    source.start(None, 0, None, NOW)
    quotes, poll = everything(source, NOW)
    assert QuoteFilter().check(quotes, LastGood(), NOW).refusals == ()
    assert np.all(np.diff(quotes.time_ms) > 0)
    assert NOW - 120_000 < quotes.time_ms[-1] <= NOW
    assert quotes.time_ms[-1] <= poll.watermark_ms <= NOW
    assert 200_000 < len(quotes) < 400_000


def test_a_made_up_market_closes_at_the_weekend_and_for_an_hour_a_day():
    week = trading_week(7, "XAUUSD", week_number(NOW))
    gaps = np.diff(week.quotes.time_ms)
    assert (gaps > 3_500_000).sum() == 4
    assert week.closes_ms - week.opens_ms == 119 * 3_600_000
    following = trading_week(7, "XAUUSD", week.number + 1)
    assert following.opens_ms - week.closes_ms == 49 * 3_600_000
    jump = following.quotes.bid[0] / week.quotes.bid[-1] - 1
    assert 0 < abs(jump) < 0.03


def test_a_made_up_market_is_livelier_when_london_and_new_york_are_open():
    week = trading_week(7, "XAUUSD", week_number(NOW)).quotes
    hours = week.time_ms // 3_600_000 % 24
    asia, overlap = ((hours >= low) & (hours < high) for low, high in ((0, 6), (13, 16)))
    assert overlap.sum() / 3 > 1.5 * asia.sum() / 6
    spread = week.ask - week.bid
    before_the_break = (hours == 21) & (week.time_ms // 60_000 % 60 >= 45)
    assert np.median(spread[before_the_break]) > 2 * np.median(spread[overlap])


def test_a_simulation_continues_behind_its_bookmark():
    source = a_simulation(speed=None)
    source.start(None, 0, None, NOW)
    bookmark = source.poll(NOW).bookmark
    following = source.poll(NOW).quotes
    again = a_simulation(speed=None)
    assert again.knows(bookmark)
    assert not SimulatedSource("XAUUSD", seed=8).knows(bookmark)
    again.start(bookmark, 0, None, NOW)
    assert again.poll(NOW).quotes == following
    again.start(bookmark, 5, int(following.time_ms[9]), NOW)
    assert again.poll(NOW).quotes.time_ms[0] == following.time_ms[10]


def test_a_simulation_hurries_to_three_days_ago_and_then_keeps_its_speed():
    clock, friday = Clock(), NOW + 2 * DAY_MS
    source = a_simulation(speed=60, clock=clock)
    source.start(None, 0, None, friday)
    quotes, _ = everything(source, friday)
    assert abs(friday - 3 * DAY_MS - quotes.time_ms[-1]) < 60_000
    clock.seconds = 10.0
    quotes, poll = everything(source, friday)
    assert 500_000 < quotes.time_ms[-1] - quotes.time_ms[0] <= 600_000
    assert poll.wait > 0


def test_a_simulations_history_fills_the_windows_and_ends_at_its_beginning():
    source = a_simulation(speed=None)
    histories = source.history(NOW)
    assert [history.timeframe for history in histories] == ["M15", "H1", "H4"]
    assert all(len(history.rows) >= 200 for history in histories)
    source.start(None, 0, None, NOW)
    first = source.poll(NOW).quotes
    h4 = histories[2].rows[-1]
    assert h4.time_ms + 4 * 3_600_000 <= first.time_ms[0]
    for row in histories[0].rows:
        assert row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high
    assert "SIMULATED" in source.description


def test_other_markets_can_be_made_up_but_not_any():
    source = SimulatedSource("EURUSD", speed=None, from_ms=NOW - 2 * DAY_MS)
    source.start(None, 0, None, NOW)
    quotes = source.poll(NOW).quotes
    assert 0.8 < quotes.bid[0] < 1.5
    assert 0.00002 < np.median(quotes.ask - quotes.bid) < 0.0003
    with pytest.raises(SourceError, match="BTCUSD cannot be made up; take one of XAUUSD, EURUSD"):
        SimulatedSource("BTCUSD")
