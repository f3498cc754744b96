"""Order blocks: the last opposite candle before a strong move away.

Defined in docs/domain/definitions.md, section 3.
"""

from collections.abc import Iterator
from math import ceil, floor

from msgspec import Struct
from msgspec.structs import replace

from signals_app.market.candle import Candles
from signals_app.smc.fair_value_gap import find_gaps
from signals_app.smc.measures import (
    Bias,
    average_true_ranges,
    mirrored,
    relative_volumes,
    round_step,
    share,
)

#: Candles that the move away may take.
IMPULSE_CANDLES = 3
#: How far beyond the block the move must close, in ATR.
DISPLACEMENT_ATR = 1.0
#: Relative volume above which the block or its move is `high_volume`.
HIGH_RELVOL = 2.0
#: The share of the block's range above which its protected wick is a `rejection`.
REJECTION_WICK = 0.60
#: How near, in ATR, a round number outside the block still counts as `near_round`.
NEAR_ROUND_ATR = 0.25
#: The parts of `score`: every block's, then one for each quality.
BASE_SCORE = 0.35
VOLUME_SCORE, REJECTION_SCORE, ROUND_SCORE, GAP_SCORE = 0.25, 0.15, 0.10, 0.15


class OrderBlock(Struct, frozen=True, gc=False):
    """The candle `index` as a zone, known at `confirmed_at` when the move away was strong enough.

    `score` ranks by convention and is no probability. `touched_at` and `invalidated_at` are the
    first candles back into the zone and closed beyond it, `None` where none came yet.
    """

    index: int
    confirmed_at: int
    direction: Bias
    top: float
    bottom: float
    high_volume: bool
    rejection: bool
    near_round: bool
    has_fvg: bool
    score: float
    touched_at: int | None
    invalidated_at: int | None


def find_order_blocks(
    candles: Candles,
    impulse_candles: int = IMPULSE_CANDLES,
    displacement_atr: float = DISPLACEMENT_ATR,
) -> tuple[OrderBlock, ...]:
    """All order blocks of the window, by `confirmed_at`, then `index`."""
    bullish = list(_bullish_blocks(candles, impulse_candles, displacement_atr))
    bearish = [
        replace(block, direction=Bias.BEARISH, top=-block.bottom, bottom=-block.top)
        for block in _bullish_blocks(mirrored(candles), impulse_candles, displacement_atr)
    ]
    return tuple(sorted(bullish + bearish, key=lambda block: (block.confirmed_at, block.index)))


def block_score(*, high_volume: bool, rejection: bool, near_round: bool, has_fvg: bool) -> float:
    """A ranking by qualities, 0.35 to 1.0; a convention and no probability."""
    return (
        BASE_SCORE
        + VOLUME_SCORE * high_volume
        + REJECTION_SCORE * rejection
        + ROUND_SCORE * near_round
        + GAP_SCORE * has_fvg
    )


def is_near_round(top: float, bottom: float, atr: float) -> bool:
    """Whether a round number is inside the zone or at most a quarter of an ATR from its edge."""
    step = round_step(atr)
    if floor(top / step) * step >= bottom:
        return True
    below, above = floor(bottom / step) * step, ceil(top / step) * step
    return min(bottom - below, above - top) <= NEAR_ROUND_ATR * atr


def _bullish_blocks(
    candles: Candles, impulse_candles: int, displacement_atr: float
) -> Iterator[OrderBlock]:
    open_, close = candles.open.tolist(), candles.close.tolist()
    high, low = candles.high.tolist(), candles.low.tolist()
    atr, relvol = average_true_ranges(candles), relative_volumes(candles)
    known_gaps = {gap.index for gap in find_gaps(candles) if gap.direction is Bias.BULLISH}
    for i in range(len(candles)):
        if close[i] >= open_[i] or atr[i] == 0:
            continue
        far_enough = displacement_atr * atr[i]
        confirmed_at = None
        for j in range(i + 1, min(i + 1 + impulse_candles, len(candles))):
            if close[j] < open_[j]:
                break
            if close[j] - high[i] >= far_enough:
                confirmed_at = j
                break
        if confirmed_at is None:
            continue
        move = range(i + 1, confirmed_at + 1)
        later = range(confirmed_at + 1, len(candles))
        qualities = {
            "high_volume": max(relvol[i : confirmed_at + 1]) > HIGH_RELVOL,
            "rejection": share(close[i] - low[i], high[i] - low[i]) > REJECTION_WICK,
            "near_round": is_near_round(high[i], low[i], atr[i]),
            "has_fvg": any(m in known_gaps for m in move),
        }
        yield OrderBlock(
            index=i,
            confirmed_at=confirmed_at,
            direction=Bias.BULLISH,
            top=high[i],
            bottom=low[i],
            **qualities,
            score=block_score(**qualities),
            touched_at=next((t for t in later if low[t] <= high[i]), None),
            invalidated_at=next((t for t in later if close[t] < low[i]), None),
        )
