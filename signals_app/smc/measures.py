"""What the detectors measure by: true range, ATR, relative volume and the round-number grid.

Defined in docs/domain/definitions.md, "Notation".
"""

from bisect import bisect_left, insort
from enum import StrEnum

from signals_app.market.calendar import HOUR_MS
from signals_app.market.candle import Candles

#: Candles that Wilder's average true range looks back on.
ATR_PERIOD = 14
#: Earlier candles of the same UTC hour that make that hour's median a yardstick.
RELVOL_HOUR_CANDLES = 5
#: Candles whose mean volume is the yardstick while the hour has too few.
RELVOL_CANDLES = 20
#: A round number's grid is at least this many volatilities wide.
ROUND_STEP_ATR = 8.0

#: The grids that there are, in ascending order.
ROUND_STEPS = [
    float(f"{mantissa}e{exponent}") for exponent in range(-12, 13) for mantissa in ("1", "2.5", "5")
]


class Bias(StrEnum):
    """The direction that a finding speaks for."""

    BULLISH = "bullish"
    BEARISH = "bearish"


def mirrored(candles: Candles) -> Candles:
    """The candles upside down: what is bearish in them is bullish in the mirror.

    Negation loses no digit, so that a rule written once, for buyers, holds exactly for sellers.
    """
    return Candles(
        candles.time_ms, -candles.open, -candles.low, -candles.high, -candles.close, candles.volume
    )


def true_ranges(candles: Candles) -> list[float]:
    """Each candle's true range, in price; the first one's is its own range."""
    high, low, close = candles.high.tolist(), candles.low.tolist(), candles.close.tolist()
    ranges: list[float] = []
    for i in range(len(candles)):
        if i == 0:
            ranges.append(high[0] - low[0])
        else:
            before = close[i - 1]
            ranges.append(max(high[i] - low[i], abs(high[i] - before), abs(low[i] - before)))
    return ranges


def average_true_ranges(candles: Candles, period: int = ATR_PERIOD) -> list[float]:
    """Wilder's ATR at each candle, in price; the plain mean until ``period`` candles are there."""
    averages: list[float] = []
    total = 0.0
    for i, true_range in enumerate(true_ranges(candles)):
        if i < period:
            total += true_range
            averages.append(total / (i + 1))
        else:
            averages.append((averages[-1] * (period - 1) + true_range) / period)
    return averages


def relative_volumes(
    candles: Candles, hour_candles: int = RELVOL_HOUR_CANDLES, recent_candles: int = RELVOL_CANDLES
) -> list[float]:
    """Each candle's volume against what its UTC hour usually has; 1.0 is usual.

    The yardstick is the median of the hour's earlier candles, or the mean of the last
    ``recent_candles`` where there are fewer than ``hour_candles`` of those. 1.0 where there is
    no yardstick or it is 0. (A plain mean of the last candles would be a clock: on gold it fires at
    the New York open and hardly ever elsewhere.)
    """
    volumes = candles.volume.tolist()
    of_hour: dict[int, list[float]] = {hour: [] for hour in range(24)}
    relative: list[float] = []
    for i, (time_ms, volume) in enumerate(zip(candles.time_ms.tolist(), volumes, strict=True)):
        same_hour = of_hour[time_ms // HOUR_MS % 24]
        if len(same_hour) >= hour_candles:
            usual = median_of_sorted(same_hour)
        else:
            usual = mean(volumes[max(0, i - recent_candles) : i])
        relative.append(volume / usual if usual != 0 else 1.0)
        insort(same_hour, volume)
    return relative


def median_of_sorted(values: list[float]) -> float:
    """The median of at least one value, in ascending order."""
    middle = len(values) // 2
    if len(values) % 2:
        return values[middle]
    return (values[middle - 1] + values[middle]) / 2


def mean(values: list[float]) -> float:
    """The mean, added up from the first to the last; 0.0 of nothing."""
    return total_of(values) / len(values) if values else 0.0


def total_of(values: list[float]) -> float:
    """The sum, added up from the first to the last.

    The built-in `sum` compensates for rounding from Python 3.12 on, so its last digit would
    depend on the interpreter.
    """
    total = 0.0
    for value in values:
        total += value
    return total


def share(part: float, whole: float) -> float:
    """``part / whole``; 0.0 where a candle has no range to divide by."""
    return part / whole if whole != 0 else 0.0


def round_step(volatility: float) -> float:
    """The grid of round numbers, in price, for a volatility: 1, 2.5 or 5 times a power of ten.

    A fixed grid of $10 would be near 9 % of gold's candles at $1,300 and 94 % at $4,500.
    """
    place = bisect_left(ROUND_STEPS, ROUND_STEP_ATR * volatility)
    return ROUND_STEPS[min(place, len(ROUND_STEPS) - 1)]
