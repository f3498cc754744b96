import pytest

from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.sources.base import SourceError
from mt5_bridge.sources.replay import ReplaySource
from tests.mt5_bridge.polling import Clock, drained, times_of

NOON = 1_704_456_000_000
# A Wednesday.
NOW = 1_763_553_600_000


def write(folder, times, name="XAUUSD_ticks.csv"):
    path = folder / name
    rows = "".join(f"{time_ms},{10 + place},{11 + place}\n" for place, time_ms in enumerate(times))
    path.write_text("timestamp_ms,bid,ask\n" + rows)
    return path


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


def test_jumps_are_left_to_the_server(tmp_path):
    path = tmp_path / "XAUUSD.csv"
    path.write_text(f"timestamp_ms,bid,ask\n{NOON},10,11\n{NOON},90,91\n{NOON},10,11\n")
    source = ReplaySource(path, "XAUUSD")
    source.start(None, 0, None, 0)
    poll = source.poll(0)
    assert (len(poll.quotes), poll.refused) == (3, 0)


def test_a_file_that_turned_bad_ends_the_replay(tmp_path):
    path = write(tmp_path, [NOON])
    source = ReplaySource(path, "XAUUSD")
    path.write_text(path.read_text() + "oops\n")
    source.start(None, 0, None, 0)
    with pytest.raises(SourceError, match="line 3"):
        drained(source)
    with pytest.raises(MarketFileError, match="does not exist"):
        ReplaySource(tmp_path / "none.csv", "XAUUSD")


def test_the_history_of_a_replay_ends_where_its_ticks_begin(tmp_path):
    (tmp_path / "XAUUSD_M15.csv").write_text(
        "timestamp,open,high,low,close\n"
        "2024-01-05T11:45:00Z,1,1,1,1\n2024-01-05T12:00:00Z,1,1,1,1\n"
    )
    source = ReplaySource(write(tmp_path, [NOON]), "XAUUSD", history=tmp_path)
    assert [row.time_ms for row in source.history(0)[0].rows] == [NOON - 900_000]
