"""Candles drawn by hand, for tests that show the picture they speak of."""

from collections.abc import Sequence

from signals_app.market.candle import Candle, Candles

#: Tuesday noon: pictures of a few candles stay within one trading day.
NOON_MS = 1_704_196_800_000
QUARTER_MS = 900_000
HOUR_MS = 3_600_000


def draw(
    *rows: Sequence[float], start_ms: int = NOON_MS, step_ms: int = QUARTER_MS, volume: float = 100
) -> Candles:
    """Return candles from rows of open, high, low, close and, where it matters, volume."""
    return Candles.of(
        Candle(
            start_ms + place * step_ms,
            *(float(price) for price in row[:4]),
            float(row[4] if len(row) > 4 else volume),
        )
        for place, row in enumerate(rows)
    )


def upside_down(rows: Sequence[Sequence[float]], middle: float) -> list[tuple[float, ...]]:
    """Return the rows mirrored at the price ``middle``."""
    mirror = 2 * middle
    return [
        (mirror - row[0], mirror - row[2], mirror - row[1], mirror - row[3], *row[4:])
        for row in rows
    ]


def ridge(*highs: float) -> list[tuple[float, float, float, float]]:
    """Return rows whose highs are given and whose lows rise steadily, so that none is a swing."""
    return [(place, high, place - 0.5, place) for place, high in enumerate(highs, -len(highs))]
