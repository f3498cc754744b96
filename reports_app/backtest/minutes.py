"""Candles of one minute that stand in for ticks: where the order inside the minute was decisive."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from signals_app.market.direction import Direction
from signals_app.market.instrument import as_decimal
from signals_app.market.tick import Ticks
from trades_app.lifecycle.trade import EventKind, Trade, TradeEvent, TradeStatus

_MINUTE_MS = 60_000
_LEVELS = frozenset({EventKind.SL_HIT, EventKind.TP1_HIT, EventKind.TP2_HIT})


def ambiguous_minutes(trade: Trade, events: Iterable[TradeEvent], ticks: Ticks) -> int:
    """Count the minutes of ``ticks`` in which another order of high and low gave another result.

    ``ticks`` are whole candles of one minute, each its open and then three more; ``events`` are
    what they did to ``trade``. The open is known to come first, so only what follows it is asked:
    did it hold stop and target, or the first target and the stop that then stands at the entry?
    """
    # Nothing is ambiguous where nothing was reached, so only minutes with events are looked at.
    after_opens = (event for event in events if event.time_ms % _MINUTE_MS)
    minutes = groupby(after_opens, key=lambda event: event.time_ms // _MINUTE_MS)
    return sum(
        _is_ambiguous(trade, tuple(happened), _after_open(ticks, minute))
        for minute, happened in minutes
    )


def _after_open(ticks: Ticks, minute: int) -> Ticks:
    begin, end = ticks.time_ms.searchsorted((minute * _MINUTE_MS + 1, (minute + 1) * _MINUTE_MS))
    return ticks.part(int(begin), int(end))


def _is_ambiguous(trade: Trade, events: Sequence[TradeEvent], ticks: Ticks) -> bool:
    first = events[0]
    if first.kind not in _LEVELS:
        return False
    if trade.direction is Direction.BUY:
        worst, best = ticks.bid.min(), ticks.bid.max()
    else:
        worst, best = ticks.ask.max(), ticks.ask.min()
    is_fresh = first.before is TradeStatus.MONITORING
    target = trade.take_profit_1 if is_fresh else trade.take_profit_2
    if (as_decimal(float(best)) - target) * trade.direction.sign < 0:
        return False
    # The stop as it stood before the minute, and where the first target moved it in the minute.
    stops = [first.stop_loss]
    stops += [event.stop_loss for event in events if event.kind is EventKind.STOP_MOVED]
    reached = as_decimal(float(worst))
    return any((reached - stop) * trade.direction.sign <= 0 for stop in stops)
