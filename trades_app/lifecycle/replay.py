"""What its events make of a planned trade: they alone say how it stands."""

from collections.abc import Iterable
from dataclasses import replace

from signals_app.market.instrument import Instrument
from trades_app.lifecycle.fills import pips_per_lot
from trades_app.lifecycle.trade import EventKind, PartialClose, Trade, TradeEvent
from trades_app.lifecycle.transitions import EXITS, TRANSITIONS, InvalidTransition


def replay(planned: Trade, instrument: Instrument, events: Iterable[TradeEvent]) -> Trade:
    """What its events make of a trade that was planned by `machine.plan_trade`.

    Raises `InvalidTransition` where one of them does not follow from those before it.
    """
    trade = planned
    for event in events:
        follows = TRANSITIONS.get((trade.status, event.kind))
        if event.before is not trade.status or event.after is not follows:
            raise InvalidTransition(f"{trade.signal_id}: no {event.kind} while {trade.status}")
        trade = _replayed(trade, instrument, event)
    return trade


def _replayed(trade: Trade, instrument: Instrument, event: TradeEvent) -> Trade:
    trade = replace(
        trade,
        status=event.after,
        stop_loss=event.stop_loss,
        moved_ordinal=event.ordinal,
        profit_loss=trade.profit_loss + event.profit,
    )
    if event.price is None:
        return trade
    if event.kind is EventKind.OPENED:
        return replace(
            trade,
            entry_price=event.price,
            entry_time_ms=event.time_ms,
            entry_ordinal=event.ordinal,
        )
    if event.lots:
        closed = PartialClose(
            event.kind,
            event.time_ms,
            event.ordinal,
            event.price,
            event.lots,
            event.profit,
            event.pips,
        )
        closes = (*trade.partial_closes, closed)
        trade = replace(
            trade,
            remaining_lots=trade.remaining_lots - event.lots,
            profit_loss_pips=pips_per_lot(trade, instrument, closes),
            partial_closes=closes,
        )
    if event.kind not in EXITS:
        return trade
    return replace(
        trade,
        exit_time_ms=event.time_ms,
        exit_ordinal=event.ordinal,
        exit_price=event.price,
        exit_reason=event.kind,
    )
