"""How late an event was found: ticks of a feed that was cut off come after their time.

Only reported, never decided by: the trade is closed at the tick's own price and time either way.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from signals_app.market import calendar
from signals_app.models import Decision
from trades_app.lifecycle.trade import TradeEvent

#: Ticks that come within this time are on time.
_TOLERANCE = timedelta(seconds=60)
#: A candle that was stored so soon after its end came from a feed that kept up with the clock.
_LIVE = timedelta(minutes=2)
#: Longer than a weekend: how far back a feed may have been live before it was cut off.
_MEMORY_MS = 4 * calendar.DAY_MS


def seconds_late(
    symbol: str, events: Sequence[TradeEvent], now: datetime
) -> tuple[int | None, ...]:
    """For each event the seconds from its tick's time to ``now``; `None` if on time.

    Also `None` throughout where the symbol's feed had not kept up with the clock before: a replay
    or a simulation of the past is not late.
    """
    waits = [now - calendar.utc(event.time_ms) for event in events]
    if not any(wait > _TOLERANCE for wait in waits) or not was_live(symbol, events[0].time_ms):
        return (None,) * len(events)
    return tuple(int(wait.total_seconds()) if wait > _TOLERANCE else None for wait in waits)


def was_live(symbol: str, time_ms: int) -> bool:
    """Whether some close of the days before ``time_ms`` was stored when it happened."""
    closes = Decision.objects.filter(
        instrument=symbol, close_time_ms__gt=time_ms - _MEMORY_MS, close_time_ms__lte=time_ms
    ).values_list("close_time_ms", "created_at")
    return any(
        timedelta() <= created_at - calendar.utc(close_ms) <= _LIVE
        for close_ms, created_at in closes
    )
