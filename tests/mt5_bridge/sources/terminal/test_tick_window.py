import numpy as np

from mt5_bridge.sources.terminal.tick_window import (
    LATEST_MS,
    SETTLED_AFTER,
    Backfill,
    TickBookmark,
    TickWindow,
)
from tests.mt5_bridge.terminal import TICK


def rows(*ticks):
    """Return ticks as the terminal gives them, from `(time_ms, bid)`."""
    found = np.zeros(len(ticks), TICK)
    found["time_msc"] = [at for at, _ in ticks]
    found["bid"] = [bid for _, bid in ticks]
    return found


def plain(found):
    return list(zip(found["time_msc"].tolist(), found["bid"].tolist(), strict=True))


def a_window(server_ms=1_000, taken=0):
    return TickWindow(TickBookmark(server_ms, taken, 0, "Broker"))


def test_a_bookmark_is_read_back_for_its_own_symbol_only():
    bookmark = TickBookmark(1_000, 2, 900, "Broker")
    text = bookmark.write("XAUUSD")
    assert TickBookmark.read(text, "XAUUSD") == bookmark
    assert TickBookmark.read(text, "EURUSD") is None
    assert TickBookmark.read("no bookmark", "XAUUSD") is None


def test_of_the_bookmarks_millisecond_only_the_taken_ticks_are_old():
    found = a_window(taken=2).new(rows((1_000, 1.0), (1_000, 2.0), (1_000, 3.0), (1_001, 4.0)))
    assert plain(found) == [(1_000, 3.0), (1_001, 4.0)]


def test_a_tick_is_new_once_and_equal_ticks_are_counted():
    window = a_window()
    first = rows((2_000, 1.0), (2_000, 1.0))
    window.take(window.new(first), utc_ms=0)
    again = rows((2_000, 1.0), (2_000, 1.0), (2_000, 1.0))
    assert plain(window.new(again)) == [(2_000, 1.0)]
    assert (window.bookmark.server_ms, window.bookmark.taken) == (2_000, 2)


def test_a_tick_may_come_a_minute_after_a_newer_one_and_no_later():
    window = a_window(0)
    window.take(window.new(rows((100_000, 1.0))), utc_ms=0)
    late = rows((100_000 - LATEST_MS - 1, 2.0), (100_000 - LATEST_MS, 3.0), (100_000, 1.0))
    assert plain(window.new(late)) == [(100_000 - LATEST_MS, 3.0)]


def test_a_history_is_complete_once_it_has_stayed_as_it_is():
    backfill = Backfill()
    gap, filled = rows((0, 1.0), (200_000, 1.0)), rows((0, 1.0), (50_000, 1.0), (200_000, 1.0))
    assert not backfill.is_complete(gap, 0)
    assert not backfill.is_complete(filled, SETTLED_AFTER)
    assert not backfill.is_complete(filled, 2 * SETTLED_AFTER - 1)
    assert backfill.is_complete(filled, 2 * SETTLED_AFTER)


def test_more_ticks_at_the_end_are_no_change():
    backfill = Backfill()
    backfill.is_complete(rows((0, 1.0), (200_000, 1.0)), 0)
    assert backfill.is_complete(rows((0, 1.0), (200_000, 1.0), (200_001, 1.0)), SETTLED_AFTER)
