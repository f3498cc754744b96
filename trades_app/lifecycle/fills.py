"""Lots closed at a price: what they bring, and what closing them does to the trade."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from signals_app.market.instrument import Instrument
from trades_app.lifecycle.risk import break_even_price, gain, nights_between, pips, profit
from trades_app.lifecycle.trade import EventKind, Moment, PartialClose, Trade, TradeEvent
from trades_app.lifecycle.transitions import apply_event

#: A trade and what happened on its way there.
Moved: TypeAlias = tuple[Trade, tuple[TradeEvent, ...]]


def reach_target_1(trade: Trade, instrument: Instrument, moment: Moment) -> Moved:
    """The trade after its first target: half closed there, stop to break-even.

    Half is rounded down to the lot step. Where that leaves nothing to close (one smallest lot),
    nothing closes here: the stop still moves and all lots wait for the second target.
    """
    half = instrument.whole_lots(trade.lots / 2)
    trade, reached = _fill(trade, instrument, EventKind.TP1_HIT, half, trade.take_profit_1, moment)
    nights = nights_between(trade.entry_time_ms, moment.time_ms, instrument.triple_swap_day)
    stop = break_even_price(
        instrument, trade.direction, trade.entry_price, trade.costs, nights, trade.rate
    )
    trade, moved = apply_event(replace(trade, stop_loss=stop), EventKind.STOP_MOVED, moment)
    return trade, (reached, moved)


def finish(
    trade: Trade, instrument: Instrument, kind: EventKind, price: Decimal, moment: Moment
) -> Moved:
    """The trade with all that remains closed at ``price``.

    Everything but a target is a fill at the market and pays slippage.
    """
    if kind is not EventKind.TP2_HIT:
        price -= trade.costs.slippage * trade.direction.sign
    trade, filled = _fill(trade, instrument, kind, trade.remaining_lots, price, moment)
    trade = replace(
        trade,
        exit_time_ms=moment.time_ms,
        exit_ordinal=moment.ordinal,
        exit_price=price,
        exit_reason=kind,
    )
    trade, closed = apply_event(trade, EventKind.CLOSED, moment)
    return trade, (filled, closed)


def pips_per_lot(trade: Trade, instrument: Instrument, closes: Iterable[PartialClose]) -> Decimal:
    """What these closes won per lot of the trade's whole size."""
    distances = [gain(trade.direction, trade.entry_price, c.price) * c.lots for c in closes]
    return pips(instrument, sum(distances, Decimal(0)) / trade.lots)


def _fill(
    trade: Trade,
    instrument: Instrument,
    kind: EventKind,
    lots: Decimal,
    price: Decimal,
    moment: Moment,
) -> tuple[Trade, TradeEvent]:
    """Close ``lots`` at ``price``; with no lots only the transition happens."""
    earned = profit(
        instrument,
        direction=trade.direction,
        lots=lots,
        entry_price=trade.entry_price,
        exit_price=price,
        nights=nights_between(trade.entry_time_ms, moment.time_ms, instrument.triple_swap_day),
        costs=trade.costs,
        rate=trade.rate,
    )
    won = pips(instrument, gain(trade.direction, trade.entry_price, price))
    if lots:
        closed = PartialClose(kind, moment.time_ms, moment.ordinal, price, lots, earned, won)
        partial_closes = (*trade.partial_closes, closed)
        trade = replace(
            trade,
            remaining_lots=trade.remaining_lots - lots,
            profit_loss=trade.profit_loss + earned,
            profit_loss_pips=pips_per_lot(trade, instrument, partial_closes),
            partial_closes=partial_closes,
        )
    return apply_event(trade, kind, moment, price=price, lots=lots, profit=earned, won=won)
