"""The life of a trade: its transitions as data, and what a tick does to it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.confluence.sizing import money, money_of_move
from signals_app.market.direction import Direction
from signals_app.market.encoding import INTERNAL
from signals_app.market.instrument import Instrument, as_decimal
from signals_app.market.tick import Float64s, Tick, Ticks
from trades_app.lifecycle.risk import (
    Costs,
    break_even_price,
    commission,
    gain,
    nights_between,
    pips,
    profit,
)

_HOUR_MS = 3_600_000
_HUNDREDTH = Decimal("0.01")


class TradeStatus(StrEnum):
    """Where a trade stands. At rest it is one of MONITORING, TP1_HIT, TRADE_CLOSED, CANCELLED."""

    SIGNAL_GENERATED = "SIGNAL_GENERATED"
    TRADE_OPENED = "TRADE_OPENED"
    MONITORING = "MONITORING"
    TP1_HIT = "TP1_HIT"
    TP2_HIT = "TP2_HIT"
    SL_HIT = "SL_HIT"
    EXPIRED = "EXPIRED"
    CLOSED_MANUALLY = "CLOSED_MANUALLY"
    TRADE_CLOSED = "TRADE_CLOSED"
    CANCELLED = "CANCELLED"


class EventKind(StrEnum):
    """What happened to a trade."""

    OPENED = "OPENED"
    MONITORING_STARTED = "MONITORING_STARTED"
    TP1_HIT = "TP1_HIT"
    STOP_MOVED = "STOP_MOVED"
    TP2_HIT = "TP2_HIT"
    SL_HIT = "SL_HIT"
    EXPIRED = "EXPIRED"
    CLOSED_MANUALLY = "CLOSED_MANUALLY"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


#: The whole machine: what may happen in which status, and where it leads.
TRANSITIONS = MappingProxyType(
    {
        (TradeStatus.SIGNAL_GENERATED, EventKind.OPENED): TradeStatus.TRADE_OPENED,
        (TradeStatus.SIGNAL_GENERATED, EventKind.CANCELLED): TradeStatus.CANCELLED,
        (TradeStatus.TRADE_OPENED, EventKind.MONITORING_STARTED): TradeStatus.MONITORING,
        (TradeStatus.MONITORING, EventKind.TP1_HIT): TradeStatus.TP1_HIT,
        (TradeStatus.MONITORING, EventKind.SL_HIT): TradeStatus.SL_HIT,
        (TradeStatus.MONITORING, EventKind.EXPIRED): TradeStatus.EXPIRED,
        (TradeStatus.MONITORING, EventKind.CLOSED_MANUALLY): TradeStatus.CLOSED_MANUALLY,
        (TradeStatus.TP1_HIT, EventKind.STOP_MOVED): TradeStatus.TP1_HIT,
        (TradeStatus.TP1_HIT, EventKind.TP2_HIT): TradeStatus.TP2_HIT,
        (TradeStatus.TP1_HIT, EventKind.SL_HIT): TradeStatus.SL_HIT,
        (TradeStatus.TP1_HIT, EventKind.EXPIRED): TradeStatus.EXPIRED,
        (TradeStatus.TP1_HIT, EventKind.CLOSED_MANUALLY): TradeStatus.CLOSED_MANUALLY,
        (TradeStatus.TP2_HIT, EventKind.CLOSED): TradeStatus.TRADE_CLOSED,
        (TradeStatus.SL_HIT, EventKind.CLOSED): TradeStatus.TRADE_CLOSED,
        (TradeStatus.EXPIRED, EventKind.CLOSED): TradeStatus.TRADE_CLOSED,
        (TradeStatus.CLOSED_MANUALLY, EventKind.CLOSED): TradeStatus.TRADE_CLOSED,
    }
)

#: The statuses in which ticks move a trade.
OPEN_STATUSES = frozenset({TradeStatus.MONITORING, TradeStatus.TP1_HIT})
#: What closes all that is left of a trade.
EXITS = frozenset(
    {EventKind.TP2_HIT, EventKind.SL_HIT, EventKind.EXPIRED, EventKind.CLOSED_MANUALLY}
)


class InvalidTransition(Exception):  # noqa: N818 - it names what happened
    """Something was asked of a trade that its status does not allow."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The tick that something happened at."""

    time_ms: int
    ordinal: int

    @classmethod
    def of(cls, tick: Tick) -> "Moment":
        """Return the tick's own."""
        return cls(tick.time_ms, tick.ordinal)


@dataclass(frozen=True, slots=True)
class CloseOrder:
    """An operator's order to close a trade, at a price that nobody knew when it was given.

    `after_ordinal` is the last tick that was used by then, `from_ms` the time that it was given.
    """

    after_ordinal: int
    from_ms: int

    def holds_at(self, moment: Moment) -> bool:
        """Return whether a tick came after the order.

        Both count: ticks of the time before may come late, after the feed was cut off.
        """
        return moment.ordinal > self.after_ordinal and moment.time_ms >= self.from_ms


@dataclass(frozen=True, slots=True)
class PartialClose:
    """Lots that were closed: why, when, at which price, and what they earned."""

    kind: EventKind
    time_ms: int
    ordinal: int = field(metadata=INTERNAL)
    price: Decimal
    lots: Decimal
    profit: Decimal
    pips: Decimal


@dataclass(frozen=True, slots=True)
class TradeEvent:
    """One transition of one trade, and the tick that caused it.

    `price` is the fill, `None` where nothing was traded; `lots` and `profit` (account currency,
    commission and swap included) are what it opened or closed and earned, `pips` the fill's
    distance from the entry, `stop_loss` the stop from then on.
    """

    kind: EventKind
    before: TradeStatus
    after: TradeStatus
    time_ms: int
    ordinal: int
    price: Decimal | None
    lots: Decimal
    profit: Decimal
    pips: Decimal
    stop_loss: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade as it stands after the event at `moved_ordinal`.

    Prices have five decimals; money is account currency in whole cents. `stop_loss` is the one in
    force, `initial_risk` the money lost at the first one. `profit_loss` is realised so far and net
    of costs; `profit_loss_pips` is per lot of the whole size. The `exit_...` are `None` while it
    is open; `expires_at_ms` is `None` where it may stay for ever, `close_order` where nobody
    ordered to close it.
    """

    signal_id: str
    instrument: str
    direction: Direction
    status: TradeStatus
    lots: Decimal
    remaining_lots: Decimal = field(metadata=INTERNAL)
    entry_time_ms: int
    entry_ordinal: int = field(metadata=INTERNAL)
    entry_price: Decimal
    stop_loss: Decimal
    initial_stop_loss: Decimal
    take_profit_1: Decimal
    take_profit_2: Decimal
    zone_top: Decimal = field(metadata=INTERNAL)
    zone_bottom: Decimal = field(metadata=INTERNAL)
    initial_risk: Decimal = field(metadata=INTERNAL)
    costs: Costs = field(metadata=INTERNAL)
    expires_at_ms: int | None = field(metadata=INTERNAL)
    moved_ordinal: int = field(metadata=INTERNAL)
    exit_time_ms: int | None = None
    exit_ordinal: int | None = field(default=None, metadata=INTERNAL)
    exit_price: Decimal | None = None
    exit_reason: EventKind | None = None
    profit_loss: Decimal = Decimal("0.00")
    profit_loss_pips: Decimal = Decimal("0.00")
    partial_closes: tuple[PartialClose, ...] = ()
    close_order: CloseOrder | None = field(default=None, metadata=INTERNAL)

    @property
    def is_open(self) -> bool:
        """Return whether ticks still move it."""
        return self.status in OPEN_STATUSES

    @property
    def r_multiple(self) -> Decimal | None:
        """Return the profit so far in units of the initial risk; `None` where that was nothing."""
        if not self.initial_risk:
            return None
        return (self.profit_loss / self.initial_risk).quantize(_HUNDREDTH, ROUND_HALF_UP)


Moved: TypeAlias = tuple[Trade, tuple[TradeEvent, ...]]


def plan_trade(signal: TradingSignal, instrument: Instrument, parameters: Parameters) -> Trade:
    """Return the trade of a signal before it opens: status SIGNAL_GENERATED."""
    entry, stop = as_decimal(signal.entry_price), as_decimal(signal.stop_loss)
    risk = money_of_move(
        instrument, lots=signal.position_size, distance=abs(entry - stop), price=stop
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
        costs=Costs.of(parameters, instrument),
        expires_at_ms=None if hours is None else signal.entry_time_ms + round(hours * _HOUR_MS),
        moved_ordinal=signal.entry_ordinal,
    )


def open_trade(
    signal: TradingSignal,
    instrument: Instrument,
    entry: Tick,
    parameters: Parameters,
) -> Moved:
    """Return the signal's trade, opened at the entry tick: ask for BUY, bid for SELL."""
    planned = plan_trade(signal, instrument, parameters)
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
    trade, opened = happen(
        trade, EventKind.OPENED, moment, price=price, lots=trade.lots, profit=paid
    )
    trade, monitored = happen(trade, EventKind.MONITORING_STARTED, moment)
    return trade, (opened, monitored)


def advance(trade: Trade, instrument: Instrument, ticks: Ticks) -> Moved:
    """Return the trade after these ticks, and what happened, in order.

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
    """Return the trade after one tick: stop first, then targets, a close order, then expiry.

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
    """Return the trade, which the first tick that comes after the order closes.

    An earlier order stays. Raises `InvalidTransition` where the trade is not open.
    """
    if (trade.status, EventKind.CLOSED_MANUALLY) not in TRANSITIONS:
        raise InvalidTransition(f"{trade.signal_id} cannot be closed: it is {trade.status}.")
    return trade if trade.close_order is not None else replace(trade, close_order=order)


def cancel(trade: Trade, moment: Moment) -> Moved:
    """Return the trade cancelled before it opened; `InvalidTransition` once it is open."""
    trade, cancelled = happen(trade, EventKind.CANCELLED, moment)
    return trade, (cancelled,)


def happen(
    trade: Trade,
    kind: EventKind,
    moment: Moment,
    *,
    price: Decimal | None = None,
    lots: Decimal = Decimal("0.00"),
    profit: Decimal = Decimal("0.00"),
    won: Decimal = Decimal("0.00"),
) -> tuple[Trade, TradeEvent]:
    """Return the trade after one transition, and its event; nothing else changes a status.

    Raises `InvalidTransition` where the table does not hold it.
    """
    after = TRANSITIONS.get((trade.status, kind))
    if after is None:
        raise InvalidTransition(f"{trade.signal_id}: no {kind} while {trade.status}")
    event = TradeEvent(
        kind=kind,
        before=trade.status,
        after=after,
        time_ms=moment.time_ms,
        ordinal=moment.ordinal,
        price=price,
        lots=lots,
        profit=profit,
        pips=won,
        stop_loss=trade.stop_loss,
    )
    return replace(trade, status=after, moved_ordinal=moment.ordinal), event


def reach_target_1(trade: Trade, instrument: Instrument, moment: Moment) -> Moved:
    """Return the trade after its first target: half closed there, stop to break-even.

    Half is rounded down to the lot step. Where that leaves nothing to close (one smallest lot),
    nothing closes here: the stop still moves and all lots wait for the second target.
    """
    half = instrument.whole_lots(trade.lots / 2)
    trade, reached = _fill(trade, instrument, EventKind.TP1_HIT, half, trade.take_profit_1, moment)
    nights = nights_between(trade.entry_time_ms, moment.time_ms)
    stop = break_even_price(instrument, trade.direction, trade.entry_price, trade.costs, nights)
    trade, moved = happen(replace(trade, stop_loss=stop), EventKind.STOP_MOVED, moment)
    return trade, (reached, moved)


def finish(
    trade: Trade, instrument: Instrument, kind: EventKind, price: Decimal, moment: Moment
) -> Moved:
    """Return the trade with all that remains closed at ``price``.

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
    trade, closed = happen(trade, EventKind.CLOSED, moment)
    return trade, (filled, closed)


def pips_per_lot(trade: Trade, instrument: Instrument, closes: Iterable[PartialClose]) -> Decimal:
    """Return what these closes won per lot of the trade's whole size."""
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
        nights=nights_between(trade.entry_time_ms, moment.time_ms),
        costs=trade.costs,
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
    return happen(trade, kind, moment, price=price, lots=lots, profit=earned, won=won)


def _ended_by(trade: Trade, moment: Moment) -> EventKind | None:
    """Return what ends a trade that no price ended, `None` where nothing does."""
    if trade.close_order is not None and trade.close_order.holds_at(moment):
        return EventKind.CLOSED_MANUALLY
    if trade.expires_at_ms is not None and moment.time_ms >= trade.expires_at_ms:
        return EventKind.EXPIRED
    return None


def _first_touch(trade: Trade, ticks: Ticks) -> int | None:
    """Return the place of the first tick that changes the trade, `None` where none does."""
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
