from mt5_bridge.sources.terminal.market_time import LATENESS_MS, SILENCE_MS, MarketTime


def test_without_a_live_tick_nothing_is_known():
    assert MarketTime().watermark_ms(5) is None


def test_the_watermark_trails_the_newest_sign_of_life():
    market = MarketTime()
    market.saw_tick(1_000_000, seconds=10)
    assert market.watermark_ms(12) == 1_000_000 - LATENESS_MS
    market.heard_by(40)
    assert market.watermark_ms(41) == 1_000_000 + 30_000 - LATENESS_MS


def test_a_silence_that_the_terminal_would_have_noticed_counts_as_time():
    market = MarketTime()
    market.saw_tick(1_000_000, seconds=0)
    assert market.silence(600) == 600
    assert market.watermark_ms(600) == 1_000_000 + 600_000 - SILENCE_MS


def test_an_outage_ends_what_was_known():
    market = MarketTime()
    market.saw_tick(1_000_000, seconds=0)
    market.reset()
    assert market.watermark_ms(1) is None
