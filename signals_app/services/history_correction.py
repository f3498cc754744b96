"""History that came by a wrong clock, and gives way to the same candles at their right times."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from django.db import transaction

from signals_app.market import calendar
from signals_app.market.candle import TIMEFRAMES, Timeframe
from signals_app.market.tick import quantise_all
from signals_app.models import PriceCandle

log = logging.getLogger(__name__)

# Clocks are off by half hours, at most from the last zone to the first.
_STEP_MS: Final = 1_800_000
_LONGEST_SHIFT_MS: Final = 26 * calendar.HOUR_MS
# So many candles must be the same at other times, and this share of those that could be.
_ENOUGH: Final = 20
_SHARE: Final = 0.8
# A connector sends up to 500 candles of each timeframe.
_SENT: Final = 500

_Prices: TypeAlias = tuple[float, float, float, float]
_Row: TypeAlias = tuple[int, _Prices]


def forget_shifted(symbol: str, timeframe: Timeframe, rows: Sequence[Sequence[float]]) -> int:
    """Delete stored history that ``rows`` hold with the same prices, but at other times.

    Whoever sent it had the clock of its server wrong then, and has corrected it. Candles that ticks
    made stay. The longer timeframes cannot be compared, being built on other boundaries: of these
    as much is deleted as a connector sends. Returns how many candles were deleted.
    """
    new = _moving(rows)
    if len(new) < _ENOUGH:
        return 0
    history = PriceCandle.objects.filter(instrument=symbol, source=PriceCandle.Source.HISTORY)
    with transaction.atomic():
        stored = history.filter(
            timeframe=timeframe,
            timestamp__gte=calendar.utc(new[0][0] - _LONGEST_SHIFT_MS),
            timestamp__lte=calendar.utc(new[-1][0] + _LONGEST_SHIFT_MS),
        )
        before = _moving(
            [
                (calendar.milliseconds(at), *map(float, prices))
                for at, *prices in stored.order_by("timestamp").values_list(
                    "timestamp", "open", "high", "low", "close"
                )
            ]
        )
        shift_ms = _shift_ms(before, new)
        if not shift_ms:
            return 0
        end_ms = before[-1][0] + timeframe.milliseconds
        count = stored.delete()[0]
        for longer in TIMEFRAMES:
            if longer.milliseconds > timeframe.milliseconds:
                of_longer = history.filter(
                    timeframe=longer,
                    timestamp__gt=calendar.utc(end_ms - _SENT * longer.milliseconds),
                    timestamp__lt=calendar.utc(end_ms + _LONGEST_SHIFT_MS),
                )
                count += of_longer.delete()[0]
    log.warning(
        "%s %s: history came %+g h off before and is replaced; %d candles were deleted",
        symbol, timeframe.value, -shift_ms / calendar.HOUR_MS, count,
    )  # fmt: skip
    return count


def _moving(rows: Sequence[Sequence[float]]) -> list[_Row]:
    """Time and prices of the candles in which the price moved: others are all alike."""
    if not rows:
        return []
    prices = quantise_all(np.array([row[1:5] for row in rows], dtype=np.float64)).tolist()
    return [
        (int(row[0]), (opened, high, low, close))
        for row, (opened, high, low, close) in zip(rows, prices, strict=True)
        if high > low
    ]


def _shift_ms(before: Sequence[_Row], new: Sequence[_Row]) -> int:
    """By how much the same candles come later now; 0 where they are not the same, or in place."""
    times: dict[_Prices, list[int]] = defaultdict(list)
    for time_ms, prices in before:
        times[prices].append(time_ms)
    shifts = Counter(
        time_ms - earlier_ms for time_ms, prices in new for earlier_ms in times.get(prices, ())
    )
    if not shifts:
        return 0
    shift_ms, count = shifts.most_common(1)[0]
    # A correction has other candles to be compared with only where both reach.
    first_ms, last_ms = before[0][0] + shift_ms, before[-1][0] + shift_ms
    comparable = sum(first_ms <= time_ms <= last_ms for time_ms, _ in new)
    is_clock = shift_ms % _STEP_MS == 0 and abs(shift_ms) <= _LONGEST_SHIFT_MS
    return shift_ms if is_clock and count >= max(_ENOUGH, _SHARE * comparable) else 0
