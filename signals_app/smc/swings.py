"""Swing points: the turning candles that structure and liquidity are read from.

Defined in docs/domain/definitions.md, section 1.
"""

from collections.abc import Callable
from enum import StrEnum
from operator import ge, gt, le, lt

from msgspec import Struct

from signals_app.market.candle import Candles

#: Candles on either side that a swing must stand out from.
SWING_LENGTH = 3


class SwingKind(StrEnum):
    """Which extreme of the candle is the swing."""

    HIGH = "high"
    LOW = "low"


class Swing(Struct, frozen=True, gc=False):
    """A swing point. It is known at `confirmed_at`, the swing length after its candle `index`.

    `label` is HH or LH for a high, LL or HL for a low, against the one before of its kind; `None`
    for the first of each kind.
    """

    index: int
    confirmed_at: int
    kind: SwingKind
    price: float
    label: str | None


def find_swings(candles: Candles, swing_length: int = SWING_LENGTH) -> tuple[Swing, ...]:
    """All swings of the window by `confirmed_at`, a high before a low."""
    swings: list[Swing] = []
    high, low = candles.high.tolist(), candles.low.tolist()
    last_high: float | None = None
    last_low: float | None = None
    for i in range(swing_length, len(candles) - swing_length):
        if _stands_out(high, i, swing_length, gt, ge):
            label = _label(high[i], last_high, gt, "HH", "LH")
            swings.append(Swing(i, i + swing_length, SwingKind.HIGH, high[i], label))
            last_high = high[i]
        if _stands_out(low, i, swing_length, lt, le):
            label = _label(low[i], last_low, lt, "LL", "HL")
            swings.append(Swing(i, i + swing_length, SwingKind.LOW, low[i], label))
            last_low = low[i]
    return tuple(swings)


_Comparison = Callable[[float, float], bool]


def _stands_out(
    prices: list[float], i: int, length: int, beyond: _Comparison, at_least: _Comparison
) -> bool:
    # Of equal prices side by side the leftmost is the swing: strict before it, not after.
    return all(beyond(prices[i], prices[q]) for q in range(i - length, i)) and all(
        at_least(prices[i], prices[q]) for q in range(i + 1, i + length + 1)
    )


def _label(
    price: float, previous: float | None, beyond: _Comparison, further: str, nearer: str
) -> str | None:
    if previous is None:
        return None
    return further if beyond(price, previous) else nearer
