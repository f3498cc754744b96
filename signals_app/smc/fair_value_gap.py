"""Fair value gaps: three candles whose outer two do not overlap."""

from dataclasses import dataclass

from signals_app.market.candle import Candles
from signals_app.smc.measures import Bias, average_true_ranges, relative_volumes, share

#: What the gap's size, its candle's body and its candle's volume weigh in `strength`.
SIZE_WEIGHT, BODY_WEIGHT, VOLUME_WEIGHT = 0.60, 0.25, 0.15
#: The relative volume that earns the whole volume weight.
FULL_RELVOL = 2.0


@dataclass(frozen=True, slots=True)
class FairValueGap:
    """A gap, known at its third candle `index`; `strength` is 0..100.

    `touched_at` and `filled_at` are the first candles into the gap and through it, `None` where
    none came yet. `fill` is how much of it price has traded back through, 0..1.
    """

    index: int
    direction: Bias
    top: float
    bottom: float
    strength: float
    touched_at: int | None
    filled_at: int | None
    fill: float


def find_gaps(candles: Candles) -> tuple[FairValueGap, ...]:
    """Return the gaps in the order in which they became known."""
    gaps: list[FairValueGap] = []
    high, low = candles.high.tolist(), candles.low.tolist()
    open_, close = candles.open.tolist(), candles.close.tolist()
    atr, relvol = average_true_ranges(candles), relative_volumes(candles)
    for i in range(2, len(candles)):
        middle = i - 1

        def strength(size: float, middle: int = middle) -> float:
            body = share(abs(close[middle] - open_[middle]), high[middle] - low[middle])
            return gap_strength(size, atr[middle], body, relvol[middle])

        if high[i - 2] < low[i]:
            top, bottom = low[i], high[i - 2]
            touched_at = next((j for j in range(i + 1, len(low)) if low[j] < top), None)
            filled_at = next((j for j in range(i + 1, len(low)) if low[j] <= bottom), None)
            depth = top - min(low[i + 1 :], default=top)
            fill = min(max(depth / (top - bottom), 0.0), 1.0)
            gaps.append(
                FairValueGap(
                    i,
                    Bias.BULLISH,
                    top,
                    bottom,
                    strength(top - bottom),
                    touched_at,
                    filled_at,
                    fill,
                )
            )
        if low[i - 2] > high[i]:
            top, bottom = low[i - 2], high[i]
            touched_at = next((j for j in range(i + 1, len(high)) if high[j] > bottom), None)
            filled_at = next((j for j in range(i + 1, len(high)) if high[j] >= top), None)
            depth = max(high[i + 1 :], default=bottom) - bottom
            fill = min(max(depth / (top - bottom), 0.0), 1.0)
            gaps.append(
                FairValueGap(
                    i,
                    Bias.BEARISH,
                    top,
                    bottom,
                    strength(top - bottom),
                    touched_at,
                    filled_at,
                    fill,
                )
            )
    return tuple(gaps)


def gap_strength(size: float, atr: float, body_share: float, relvol: float) -> float:
    """Return 0..100 from the gap's size (price) and its middle candle's ATR, body and volume."""
    size_term = min(size / atr, 1.0) if atr != 0 else 1.0
    return 100 * (
        SIZE_WEIGHT * size_term
        + BODY_WEIGHT * body_share
        + VOLUME_WEIGHT * min(relvol / FULL_RELVOL, 1.0)
    )
