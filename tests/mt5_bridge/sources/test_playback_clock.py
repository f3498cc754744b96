from mt5_bridge.sources.playback_clock import CLOSED_MS, PlaybackClock
from tests.mt5_bridge.polling import Clock

NOON = 1_704_456_000_000


def test_a_clock_of_market_time_runs_at_its_speed_and_skips_closed_hours():
    clock = Clock()
    playback = PlaybackClock(10, clock)
    assert playback.reach(NOON) == NOON
    clock.seconds = 2.0
    assert playback.reach(NOON + 5000) == NOON + 20_000
    monday = NOON + 20_000 + CLOSED_MS + 1
    assert playback.reach(monday) == monday
    clock.seconds = 3.0
    assert playback.reach(monday) == monday + 10_000
    assert PlaybackClock(None, clock).reach(NOON) > NOON * 1000
