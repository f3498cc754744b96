"""What one candle does to a trade where there are no ticks: the worse order is assumed.

docs/domain/trades.md holds the table of cases; each row has its test, for BUY and for SELL.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from signals_app.market.candle import Candle, Candles
from signals_app.market.direction import Direction
from signals_app.market.instrument import Instrument, as_decimal
from signals_app.market.tick import Float64s, Tick
from trades_app.lifecycle.fills import finish, reach_target_1
from trades_app.lifecycle.machine import on_tick
from trades_app.lifecycle.trade import EventKind, Moment, Trade, TradeEvent, TradeStatus

#: A grid step of doubt for sums of prices in floats; the exact answer is in the decimals.
_DOUBT = 1e-5


@dataclass(frozen=True, slots=True)
class CandleFill:
    """A trade after a candle; `is_ambiguous` where the candle allowed a better order of events."""

    trade: Trade
    events: tuple[TradeEvent, ...]
    is_ambiguous: bool


def on_candle(
    trade: Trade, instrument: Instrument, candle: Candle, *, opened: Tick, closed: Moment
) -> CandleFill:
    """The trade after one candle of bid prices.

    ``opened`` is the candle's first quote, which is a tick like any other: it fills what price
    jumped over. Everything after it happens at ``closed``, the stop first. The ask is a constant
    spread, that of ``opened``, above the candle.
    """
    if _is_untouched(trade, candle, opened):
        return CandleFill(trade, (), is_ambiguous=False)
    trade, events = on_tick(trade, instrument, opened)
    if not trade.is_open or closed.ordinal <= trade.moved_ordinal:
        return CandleFill(trade, events, is_ambiguous=False)
    reached = _reached(trade, candle, opened)
    stop_reached = reached.worst <= _won(trade, trade.stop_loss)
    if stop_reached:
        is_ambiguous = reached.best >= _won(trade, _next_target(trade))
        trade, rest = finish(trade, instrument, EventKind.SL_HIT, trade.stop_loss, closed)
        return CandleFill(trade, events + rest, is_ambiguous)
    if trade.status is TradeStatus.MONITORING and reached.best >= _won(trade, trade.take_profit_1):
        trade, first = reach_target_1(trade, instrument, closed)
        events += first
        # The candle was on the losing side of the new stop, perhaps before the target: assume
        # afterwards, also where it went on to the second target.
        if reached.worst <= _won(trade, trade.stop_loss):
            trade, rest = finish(trade, instrument, EventKind.SL_HIT, trade.stop_loss, closed)
            return CandleFill(trade, events + rest, is_ambiguous=True)
    if trade.status is TradeStatus.TP1_HIT and reached.best >= _won(trade, trade.take_profit_2):
        trade, rest = finish(trade, instrument, EventKind.TP2_HIT, trade.take_profit_2, closed)
        events += rest
    return CandleFill(trade, events, is_ambiguous=False)


def first_touched(trade: Trade, candles: Candles, spreads: Float64s) -> int | None:
    """The place of the first candle that `on_candle` may change the trade at, `None` for none.

    ``spreads`` (price) are those of the candles' first quotes.
    """
    stop, target = float(trade.stop_loss), float(_next_target(trade))
    if trade.direction is Direction.BUY:
        touched = (candles.low <= stop) | (candles.high >= target)
    else:
        touched = candles.high + spreads >= stop - _DOUBT
        touched |= candles.low + spreads <= target + _DOUBT
    if trade.expires_at_ms is not None:
        touched |= candles.time_ms >= trade.expires_at_ms
    place = int(np.argmax(touched)) if len(touched) else 0
    return place if len(touched) and touched[place] else None


def _is_untouched(trade: Trade, candle: Candle, opened: Tick) -> bool:
    """Say quickly, in floats, that the whole candle lies between stop and target: the usual."""
    if trade.expires_at_ms is not None and opened.time_ms >= trade.expires_at_ms:
        return False
    stop, target = float(trade.stop_loss), float(_next_target(trade))
    if trade.direction is Direction.BUY:
        return candle.low > stop and candle.high < target
    spread = opened.spread
    return candle.high + spread < stop - _DOUBT and candle.low + spread > target + _DOUBT


@dataclass(frozen=True, slots=True)
class _Reached:
    """The candle's extremes on the exit side, as distances won from the entry."""

    worst: Decimal
    best: Decimal


def _reached(trade: Trade, candle: Candle, opened: Tick) -> _Reached:
    low, high = as_decimal(candle.low), as_decimal(candle.high)
    if trade.direction is Direction.BUY:
        return _Reached(_won(trade, low), _won(trade, high))
    spread = as_decimal(opened.spread)
    return _Reached(_won(trade, high + spread), _won(trade, low + spread))


def _won(trade: Trade, price: Decimal) -> Decimal:
    return (price - trade.entry_price) * trade.direction.sign


def _next_target(trade: Trade) -> Decimal:
    if trade.status is TradeStatus.MONITORING:
        return trade.take_profit_1
    return trade.take_profit_2
