"""Windows of candles, as the core reads them from the database."""

import pytest

from signals_app.market.candle import Candle, Timeframe
from signals_app.models import PriceCandle
from tests.trades_app.examples import CLOSE_MS

pytestmark = pytest.mark.django_db

QUARTER_MS, HOUR_MS = 900_000, 3_600_000


@pytest.fixture
def stored() -> None:
    """Eight quarters and two hours of gold that end at the close, and a quarter of another."""
    for timeframe, length_ms, count in (
        (Timeframe.M15, QUARTER_MS, 8),
        (Timeframe.H1, HOUR_MS, 2),
    ):
        candles = [
            Candle(CLOSE_MS - place * length_ms, 2000.0 + place, 2010.0, 1990.0, 2001.5, 7.0)
            for place in range(count, 0, -1)
        ]
        rows = PriceCandle.of("XAUUSD", timeframe, candles, PriceCandle.Source.TICKS)
        PriceCandle.objects.bulk_create(rows)
    other = [Candle(CLOSE_MS - QUARTER_MS, 1.1, 1.2, 1.0, 1.15, 3.0)]
    PriceCandle.objects.bulk_create(
        PriceCandle.of("EURUSD", Timeframe.M15, other, PriceCandle.Source.TICKS)
    )


def test_a_window_has_the_last_candles_that_ended_oldest_first(stored: None) -> None:
    window = PriceCandle.objects.window("XAUUSD", Timeframe.M15, CLOSE_MS, size=3)

    assert window.time_ms.tolist() == [CLOSE_MS - n * QUARTER_MS for n in (3, 2, 1)]
    assert window.open.tolist() == [2003.0, 2002.0, 2001.0]
    assert window[0] == Candle(CLOSE_MS - 3 * QUARTER_MS, 2003.0, 2010.0, 1990.0, 2001.5, 7.0)


def test_a_candle_that_has_not_ended_by_then_is_not_in_the_window(stored: None) -> None:
    window = PriceCandle.objects.window("XAUUSD", Timeframe.M15, CLOSE_MS - 1)

    assert window.time_ms.tolist()[-1] == CLOSE_MS - 2 * QUARTER_MS


def test_windows_of_several_timeframes_cost_one_query(
    stored: None, django_assert_num_queries: object
) -> None:
    wanted = {
        Timeframe.M15: (CLOSE_MS, 2),
        Timeframe.H1: (CLOSE_MS, 200),
        Timeframe.H4: (CLOSE_MS, 200),
    }

    with django_assert_num_queries(1):  # type: ignore[operator]
        windows = PriceCandle.objects.windows("XAUUSD", wanted)

    assert {timeframe: len(window) for timeframe, window in windows.items()} == {
        Timeframe.M15: 2,
        Timeframe.H1: 2,
        Timeframe.H4: 0,
    }
