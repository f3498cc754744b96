"""History of a wrong clock gives way to the same candles at their right times."""

import numpy as np
import pytest

from mt5_bridge.protocol.wire import CandleRow
from signals_app.gateway.database import DjangoDatabase
from signals_app.market import calendar
from signals_app.market.candle import Candle, Timeframe
from signals_app.models import PriceCandle
from signals_app.services.history_correction import forget_shifted
from signals_app.services.price_history import store_history

HOUR_MS = 3_600_000
NOON = 1_704_456_000_000

pytestmark = pytest.mark.django_db


def candles(timeframe, count, *, shift_ms=0, seed=1):
    """A walk that begins at noon, as a server would show it whose clock is taken wrongly."""
    closes = 2000 + np.random.default_rng(seed).integers(-50, 50, count + 1).cumsum() / 100
    return [
        (NOON + place * timeframe.milliseconds + shift_ms,
         closes[place], max(closes[place : place + 2]) + 0.5, min(closes[place : place + 2]) - 0.25,
         closes[place + 1], 10)
        for place in range(count)
    ]  # fmt: skip


def times_of(timeframe):
    found = PriceCandle.objects.filter(instrument="XAUUSD", timeframe=timeframe)
    return [calendar.milliseconds(row.timestamp) for row in found.order_by("timestamp")]


@pytest.mark.parametrize("shift_ms", [-HOUR_MS, HOUR_MS, -90 * 60_000, 3 * HOUR_MS])
def test_the_same_candles_at_other_times_replace_what_came_before(shift_ms):
    store_history("XAUUSD", Timeframe.M15, candles(Timeframe.M15, 100, shift_ms=shift_ms))
    store_history("XAUUSD", Timeframe.H4, candles(Timeframe.H4, 5, shift_ms=shift_ms))
    right = candles(Timeframe.M15, 110)

    assert forget_shifted("XAUUSD", Timeframe.M15, right) == 105
    assert store_history("XAUUSD", Timeframe.M15, right) == 110

    assert times_of(Timeframe.M15) == [row[0] for row in right]
    assert times_of(Timeframe.H4) == []


def test_the_gateway_stores_a_correction_whole(monkeypatch):
    # The test's own connection, which lies in a transaction, is kept.
    monkeypatch.setattr("signals_app.gateway.database.close_old_connections", lambda: None)
    database = DjangoDatabase()
    for shift_ms in (-HOUR_MS, 0):
        for timeframe in (Timeframe.M15, Timeframe.H1, Timeframe.H4):
            rows = [CandleRow(*row) for row in candles(timeframe, 60, shift_ms=shift_ms)]
            database.store_history("XAUUSD", timeframe, rows)

    for timeframe in (Timeframe.M15, Timeframe.H1, Timeframe.H4):
        assert times_of(timeframe) == [row[0] for row in candles(timeframe, 60)]


def test_the_same_history_again_changes_nothing():
    rows = candles(Timeframe.M15, 100)
    store_history("XAUUSD", Timeframe.M15, rows)

    assert forget_shifted("XAUUSD", Timeframe.M15, rows) == 0
    assert forget_shifted("XAUUSD", Timeframe.M15, rows[50:]) == 0


def test_another_brokers_candles_replace_nothing():
    store_history("XAUUSD", Timeframe.M15, candles(Timeframe.M15, 100))

    assert forget_shifted("XAUUSD", Timeframe.M15, candles(Timeframe.M15, 100, seed=2)) == 0
    assert len(times_of(Timeframe.M15)) == 100


def test_a_market_that_stands_still_proves_nothing():
    still = [(NOON + place * 900_000, 5.0, 5.0, 5.0, 5.0, 1) for place in range(100)]
    store_history("XAUUSD", Timeframe.M15, still)

    assert forget_shifted("XAUUSD", Timeframe.M15, still[4:]) == 0


def test_candles_that_ticks_made_stay():
    early = [Candle(*row) for row in candles(Timeframe.M15, 100, shift_ms=-HOUR_MS)]
    PriceCandle.objects.bulk_create(
        PriceCandle.of("XAUUSD", Timeframe.M15, early, PriceCandle.Source.TICKS)
    )

    assert forget_shifted("XAUUSD", Timeframe.M15, candles(Timeframe.M15, 100)) == 0
    assert len(times_of(Timeframe.M15)) == 100
