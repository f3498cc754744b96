"""Candles as lines of a terminal."""

from signals_app.management.candle_table import candle_table
from signals_app.market.candle import Candle


def test_figures_stand_below_their_headings() -> None:
    candle = Candle(1_704_465_000_000, 2045.1, 2046.25, 2044.0, 2045.5, 812.0)

    assert candle_table([candle]).splitlines() == [
        "time                         open         high          low        close   volume",
        "2024-01-05T14:30:00Z   2045.10000   2046.25000   2044.00000   2045.50000      812",
    ]
    assert len(candle_table([]).splitlines()) == 1
