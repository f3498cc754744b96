"""Fair value gaps: three candles whose outer two do not overlap.

Defined in docs/domain/definitions.md, section 2.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from signals_app.market.candle import Candles
from signals_app.smc.measures import (
    Bias,
    average_true_ranges,
    mirrored,
    relative_volumes,
    share,
)

#: What the gap's size, its candle's body and its candle's volume weigh in `strength`.
SIZE_WEIGHT, BODY_WEIGHT, VOLUME_WEIGHT = 0.60, 0.25, 0.15
#: The relative volume that earns the whole volume weight.
FULL_RELVOL = 2.0


class FairValueGap(Struct, frozen=True, gc=False):
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
    """All gaps of the window by `index`, a bullish one before a bearish one."""
    bullish = list(_bullish_gaps(candles))
    bearish = [
        replace(gap, direction=Bias.BEARISH, top=-gap.bottom, bottom=-gap.top)
        for gap in _bullish_gaps(mirrored(candles))
    ]
    return tuple(sorted(bullish + bearish, key=lambda gap: gap.index))


def gap_strength(size_in_atr: float, body_share: float, relvol: float) -> float:
    """0..100 from the gap's size and the middle candle's body (share of its range) and volume."""
    return 100 * (
        SIZE_WEIGHT * min(size_in_atr, 1.0)
        + BODY_WEIGHT * body_share
        + VOLUME_WEIGHT * min(relvol / FULL_RELVOL, 1.0)
    )


def _bullish_gaps(candles: Candles) -> Iterator[FairValueGap]:
    high, low = candles.high.tolist(), candles.low.tolist()
    open_, close = candles.open.tolist(), candles.close.tolist()
    atr, relvol = average_true_ranges(candles), relative_volumes(candles)
    for i in range(2, len(candles)):
        bottom, top = high[i - 2], low[i]
        if bottom >= top:
            continue
        middle = i - 1
        later = range(i + 1, len(candles))
        lowest = min(low[i + 1 :], default=top)
        yield FairValueGap(
            index=i,
            direction=Bias.BULLISH,
            top=top,
            bottom=bottom,
            strength=gap_strength(
                size_in_atr=(top - bottom) / atr[middle] if atr[middle] != 0 else 1.0,
                body_share=share(abs(close[middle] - open_[middle]), high[middle] - low[middle]),
                relvol=relvol[middle],
            ),
            touched_at=next((j for j in later if low[j] < top), None),
            filled_at=next((j for j in later if low[j] <= bottom), None),
            fill=min(max((top - lowest) / (top - bottom), 0.0), 1.0),
        )
