"""The life of a trade: planned, opened, moved by ticks, closed or cancelled."""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.confluence.sizing import money, money_of_move
from signals_app.market.calendar import HOUR_MS
from signals_app.market.direction import Direction
from signals_app.market.instrument import Instrument, as_decimal
from signals_app.market.tick import Float64s, Tick, Ticks
from trades_app.lifecycle.fills import Moved, finish, reach_target_1
from trades_app.lifecycle.risk import Costs, commission
from trades_app.lifecycle.trade import (
    CloseOrder,
    EventKind,
    Moment,
    Trade,
    TradeEvent,
    TradeStatus,
)
from trades_app.lifecycle.transitions import TRANSITIONS, InvalidTransition, apply_event


def plan_trade(
    signal: TradingSignal,
    instrument: Instrument,
    parameters: Parameters,
    rate: Decimal | None = None,
) -> Trade:
    """The trade of a signal before it opens: status SIGNAL_GENERATED.

    ``rate`` is what it was decided with.
    """
    entry, stop = as_decimal(signal.entry_price), as_decimal(signal.stop_loss)
    risk = money_of_move(
        instrument, lots=signal.position_size, distance=abs(entry - stop), price=stop, rate=rate
    )
    hours = parameters.maximum_trade_hours
    return Trade(
        signal_id=signal.signal_id,
        instrument=signal.instrument,
        direction=signal.direction,
        status=TradeStatus.SIGNAL_GENERATED,
        lots=signal.position_size,
        remaining_lots=signal.position_size,
        entry_time_ms=signal.entry_time_ms,
        entry_ordinal=signal.entry_ordinal,
        entry_price=entry,
        stop_loss=stop,
        initial_stop_loss=stop,
        take_profit_1=as_decimal(signal.take_profit_1),
        take_profit_2=as_decimal(signal.take_profit_2),
        zone_top=as_decimal(signal.zone_top),
        zone_bottom=as_decimal(signal.zone_bottom),
        initial_risk=money(risk),
        costs=Costs.of(parameters, instrument, entry, rate),
        expires_at_ms=None if hours is None else signal.entry_time_ms + round(hours * HOUR_MS),
        moved_ordinal=signal.entry_ordinal,
        rate=rate,
    )


def open_trade(
    signal: TradingSignal,
    instrument: Instrument,
    entry: Tick,
    parameters: Parameters,
    rate: Decimal | None = None,
) -> Moved:
    """The signal's trade, opened at the entry tick: ask for BUY, bid for SELL."""
    planned = plan_trade(signal, instrument, parameters, rate)
    quote = entry.ask if signal.direction is Direction.BUY else entry.bid
    price = as_decimal(quote) + planned.costs.slippage * signal.direction.sign
    paid = commission(planned.lots, planned.costs)
    trade = replace(
        planned,
        entry_price=price,
        entry_time_ms=entry.time_ms,
        entry_ordinal=entry.ordinal,
        profit_loss=paid,
    )
    moment = Moment.of(entry)
    trade, opened = apply_event(
        trade, EventKind.OPENED, moment, price=price, lots=trade.lots, profit=paid
    )
    trade, monitored = apply_event(trade, EventKind.MONITORING_STARTED, moment)
    return trade, (opened, monitored)


def advance(trade: Trade, instrument: Instrument, ticks: Ticks) -> Moved:
    """The trade after these ticks, and what happened, in order.

    Ticks up to the trade's last event are passed over, so that the same ticks twice do no harm.
    Equal to `on_tick` for each tick in order, but only touched levels cost anything.
    """
    events: list[TradeEvent] = []
    while trade.is_open:
        ticks = ticks.after(trade.moved_ordinal)
        place = _first_touch(trade, ticks)
        if place is None:
            break
        trade, happened = on_tick(trade, instrument, ticks[place])
        events += happened
    return trade, tuple(events)


def on_tick(trade: Trade, instrument: Instrument, tick: Tick) -> Moved:
    """The trade after one tick: stop first, then targets, a close order, then expiry.

    BUY exits at bid, SELL at ask. A stop fills at the tick, beyond the stop where price jumped;
    a target fills at the target even where price jumped over it. One tick may reach both targets.
    """
    if not trade.is_open or tick.ordinal <= trade.moved_ordinal:
        return trade, ()
    sign, moment = trade.direction.sign, Moment.of(tick)
    exit_price = as_decimal(tick.bid if trade.direction is Direction.BUY else tick.ask)
    if (exit_price - trade.stop_loss) * sign <= 0:
        return finish(trade, instrument, EventKind.SL_HIT, exit_price, moment)
    events: tuple[TradeEvent, ...] = ()
    if trade.status is TradeStatus.MONITORING and (exit_price - trade.take_profit_1) * sign >= 0:
        trade, events = reach_target_1(trade, instrument, moment)
    if trade.status is TradeStatus.TP1_HIT and (exit_price - trade.take_profit_2) * sign >= 0:
        trade, rest = finish(trade, instrument, EventKind.TP2_HIT, trade.take_profit_2, moment)
        return trade, events + rest
    reason = _ended_by(trade, moment)
    if reason is None:
        return trade, events
    trade, rest = finish(trade, instrument, reason, exit_price, moment)
    return trade, events + rest


def order_close(trade: Trade, order: CloseOrder) -> Trade:
    """The trade, which the first tick that comes after the order closes.

    An earlier order stays. Raises `InvalidTransition` where the trade is not open.
    """
    if (trade.status, EventKind.CLOSED_MANUALLY) not in TRANSITIONS:
        raise InvalidTransition(f"{trade.signal_id} cannot be closed: it is {trade.status}.")
    return trade if trade.close_order is not None else replace(trade, close_order=order)


def cancel(trade: Trade, moment: Moment) -> Moved:
    """The trade cancelled before it opened; `InvalidTransition` once it is open."""
    trade, cancelled = apply_event(trade, EventKind.CANCELLED, moment)
    return trade, (cancelled,)


def _ended_by(trade: Trade, moment: Moment) -> EventKind | None:
    """What ends a trade that no price ended, `None` where nothing does."""
    if trade.close_order is not None and trade.close_order.holds_at(moment):
        return EventKind.CLOSED_MANUALLY
    if trade.expires_at_ms is not None and moment.time_ms >= trade.expires_at_ms:
        return EventKind.EXPIRED
    return None


def _first_touch(trade: Trade, ticks: Ticks) -> int | None:
    """The place of the first tick that changes the trade, `None` where none does."""
    prices = ticks.bid if trade.direction is Direction.BUY else ticks.ask
    monitoring = trade.status is TradeStatus.MONITORING
    target = float(trade.take_profit_1 if monitoring else trade.take_profit_2)
    touched = _beyond(prices, float(trade.stop_loss), target, trade.direction)
    if trade.expires_at_ms is not None:
        touched |= ticks.time_ms >= trade.expires_at_ms
    if trade.close_order is not None:
        later = ticks.time_ms >= trade.close_order.from_ms
        later[: max(trade.close_order.after_ordinal + 1 - ticks.first_ordinal, 0)] = False
        touched |= later
    place = int(np.argmax(touched)) if len(touched) else 0
    return place if len(touched) and touched[place] else None


def _beyond(
    prices: Float64s, stop_loss: float, target: float, direction: Direction
) -> "np.typing.NDArray[np.bool_]":
    if direction is Direction.BUY:
        return (prices <= stop_loss) | (prices >= target)
    return (prices >= stop_loss) | (prices <= target)
