"""Market structure: breaks of swing points, the trend that they make and the dealing range.

Defined in docs/domain/definitions.md, section 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from signals_app.market.candle import Candles
from signals_app.smc.measures import total_of
from signals_app.smc.swings import Swing, SwingKind

#: Breaks with the trend that count as a full one.
FULL_TREND_BREAKS = 4
#: Candles over which the efficiency of the move is measured.
EFFICIENCY_CANDLES = 50
#: What the breaks and the efficiency weigh in the trend's strength.
BREAKS_WEIGHT, EFFICIENCY_WEIGHT = 0.5, 0.5


class Trend(StrEnum):
    """Where structure points; `NONE` until the first break."""

    NONE = "none"
    UP = "up"
    DOWN = "down"


class BreakKind(StrEnum):
    """`BOS` goes on with the trend (or makes the first one), `CHOCH` turns it."""

    BOS = "BOS"
    CHOCH = "CHOCH"


class StructureBreak(Struct, frozen=True, gc=False):
    """The candle `index` closed beyond `level`, the price of the swing at `swing_index`.

    `direction` is `UP` or `DOWN`.
    """

    index: int
    kind: BreakKind
    direction: Trend
    level: float
    swing_index: int


@dataclass(frozen=True, slots=True)
class DealingRange:
    """The prices between the last confirmed swing low and the last confirmed swing high."""

    low: float
    high: float

    def position(self, price: float) -> float:
        """0 at the low, 1 at the high: above 0.5 is premium, below is discount."""
        return (price - self.low) / (self.high - self.low)


def find_breaks(candles: Candles, swings: Sequence[Swing]) -> tuple[StructureBreak, ...]:
    """The breaks of ``swings`` (by `confirmed_at`), oldest first; at most one a candle."""
    breaks: list[StructureBreak] = []
    trend = Trend.NONE
    reference: dict[SwingKind, Swing | None] = {SwingKind.HIGH: None, SwingKind.LOW: None}
    waiting = iter(swings)
    upcoming = next(waiting, None)
    for i, close in enumerate(candles.close.tolist()):
        while upcoming is not None and upcoming.confirmed_at == i:
            reference[upcoming.kind] = upcoming
            upcoming = next(waiting, None)
        high, low = reference[SwingKind.HIGH], reference[SwingKind.LOW]
        if high is not None and close > high.price:
            broken, direction = high, Trend.UP
        elif low is not None and close < low.price:
            broken, direction = low, Trend.DOWN
        else:
            continue
        kind = BreakKind.BOS if trend in (Trend.NONE, direction) else BreakKind.CHOCH
        breaks.append(StructureBreak(i, kind, direction, broken.price, broken.index))
        reference[broken.kind] = None  # A level breaks once: the next swing makes a new one.
        trend = direction
    return tuple(breaks)


def trend_of(breaks: Sequence[StructureBreak]) -> Trend:
    """The direction of the last break, `NONE` without any."""
    return breaks[-1].direction if breaks else Trend.NONE


def trend_strength(candles: Candles, breaks: Sequence[StructureBreak]) -> float:
    """The trend's strength at the last candle, 0..100; 0 while there is no trend."""
    trend = trend_of(breaks)
    if trend is Trend.NONE:
        return 0.0
    in_trend = min(_breaks_since_the_turn(breaks), FULL_TREND_BREAKS)
    return 100 * (
        BREAKS_WEIGHT * in_trend / FULL_TREND_BREAKS
        + EFFICIENCY_WEIGHT * _efficiency(candles.close.tolist(), trend)
    )


def dealing_range(swings: Sequence[Swing]) -> DealingRange | None:
    """The range of the last known swings; `None` unless the high is above the low."""
    last = {swing.kind: swing.price for swing in swings}
    if SwingKind.HIGH not in last or SwingKind.LOW not in last:
        return None
    low, high = last[SwingKind.LOW], last[SwingKind.HIGH]
    return DealingRange(low, high) if high > low else None


def _breaks_since_the_turn(breaks: Sequence[StructureBreak]) -> int:
    count = 0
    for event in reversed(breaks):
        count += 1
        if event.kind is BreakKind.CHOCH:
            break
    return count


def _efficiency(close: list[float], trend: Trend) -> float:
    """Kaufman's efficiency ratio, net move over path, 0..1; 0 where it is against the trend."""
    recent = close[-EFFICIENCY_CANDLES - 1 :]
    net = recent[-1] - recent[0]
    walked = total_of([abs(recent[m] - recent[m - 1]) for m in range(1, len(recent))])
    against = net < 0 if trend is Trend.UP else net > 0
    return 0.0 if against or walked == 0 else abs(net) / walked
