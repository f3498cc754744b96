import numpy as np
import pytest

from mt5_bridge.protocol.quote_filter import LastGood, QuoteFilter
from mt5_bridge.sources.base import SourceError
from mt5_bridge.sources.simulated.source import DAY_MS, SimulatedSource
from tests.mt5_bridge.polling import Clock, a_simulation, everything

NOON = 1_704_456_000_000
# A Wednesday.
NOW = 1_763_553_600_000


def test_made_up_ticks_are_good_ones_and_never_of_the_future():
    source = a_simulation(speed=None)
    source.start(None, 0, None, NOW)
    quotes, poll = everything(source, NOW)
    assert QuoteFilter().check(quotes, LastGood(), NOW).refusals == ()
    assert np.all(np.diff(quotes.time_ms) > 0)
    assert NOW - 120_000 < quotes.time_ms[-1] <= NOW
    assert quotes.time_ms[-1] <= poll.watermark_ms <= NOW
    assert 200_000 < len(quotes) < 400_000


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
    with pytest.raises(SourceError, match="COCOA cannot be made up without --digits"):
        SimulatedSource("COCOA")
