import numpy as np
import pytest

from mt5_bridge.sources.base import SourceError
from mt5_bridge.sources.simulated.market import (
    PROFILES,
    guessed_profile,
    trading_week,
    week_number,
)
from mt5_bridge.sources.simulated.source import DAY_MS, SimulatedSource
from tests.mt5_bridge.polling import a_simulation, everything

NOON = 1_704_456_000_000
# A Wednesday.
NOW = 1_763_553_600_000


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


@pytest.mark.parametrize("symbol", PROFILES)
def test_every_made_up_market_is_near_its_usual_price_and_spread(symbol):
    profile = PROFILES[symbol]
    quotes = trading_week(1, symbol, 40).quotes
    assert 0.3 < np.median(quotes.bid) / profile.price < 3
    assert 0.5 < np.median(quotes.ask - quotes.bid) / profile.spread < 2
    move = np.ptp(quotes.bid) / np.median(quotes.bid)
    assert 0.002 < move < 0.4


@pytest.mark.parametrize(
    ("digits", "spread", "price"),
    [(5, 0.0001, 1.0), (3, 0.01, 100.0), (2, 0.3, 3000.0), (0, 10, 100_000.0), (2, 0.0, 1000.0)],
)
def test_a_market_that_nobody_described_has_a_price_that_suits_its_spread(digits, spread, price):
    assert guessed_profile(digits, spread).price == pytest.approx(price)


def test_a_source_of_an_unknown_symbol_needs_to_know_its_quotes():
    with pytest.raises(SourceError, match="without --digits and --default-spread"):
        SimulatedSource("COCOA")
    source = SimulatedSource("COCOA", digits=0, default_spread=3.0, speed=None)
    source.start(None, 0, None, NOW)
    bid = source.poll(NOW).quotes.bid
    assert 3_000 < np.median(bid) < 300_000
    assert (bid % 1 == 0).all()
