"""Writes of trades, each with its events and messages in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure
from signals_app.market import calendar
from signals_app.market.direction import Direction
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Tick, Ticks
from signals_app.models import Decision, Signal, StreamPosition
from signals_app.models import Instrument as InstrumentRow
from signals_app.pipeline import stream
from signals_app.pipeline.decisions import signal_value
from trades_app import models
from trades_app.lifecycle import exposure, machine
from trades_app.lifecycle.exposure import memory_ms
from trades_app.lifecycle.machine import (
    CloseOrder,
    EventKind,
    InvalidTransition,
    Moment,
    PartialClose,
    Trade,
    TradeEvent,
    TradeStatus,
)
from trades_app.lifecycle.record import event_link
from trades_app.lifecycle.risk import Costs
from trades_app.notifications import announcements
from trades_app.trading.lateness import seconds_late, was_live

log = structlog.get_logger(__name__)


def open_trade(signal_id: str) -> str | None:
    """Open a signal's trade at its entry tick and let it catch up with the stream.

    Returns the symbol whose next close may now be decided; `None` where the trade was open
    already. Raises `stream.TicksMissing` where Redis has to be given the ticks again first.
    """
    with transaction.atomic():
        signal = Signal.objects.select_related("strategy").get(pk=signal_id)
        # Whoever holds the position decides which ticks have moved trades; ours waits for it.
        position = StreamPosition.objects.select_for_update().get(symbol=signal.instrument)
        decision = Decision.objects.select_for_update().get(
            symbol=signal.instrument, close_time_ms=calendar.milliseconds(signal.timestamp)
        )
        if decision.outcome != Decision.Outcome.OPENING:
            return None
        instrument = InstrumentRow.objects.get(symbol=signal.instrument).value()
        value = signal_value(signal)
        entry = entry_tick(decision)
        trade, events = machine.open_trade(value, instrument, entry, signal.strategy.value())
        opened = trade
        for ticks in stream.read_ticks(signal.instrument, entry.ordinal, position.ordinal):
            trade, more = machine.advance(trade, instrument, ticks)
            events += more
            if not trade.is_open:
                break
        row = models.Trade(signal=signal)
        _fill_row(row, trade)
        row.save(force_insert=True)
        late = seconds_late(trade.instrument, events, timezone.now())
        _insert_events(row, events, first_number=1, found_late=late)
        announcements.announce_signal(signal, instrument, opened, late[0])
        announcements.announce_events(signal, trade, events, instrument, late)
        _close_signal(signal, trade)
        decision.outcome = Decision.Outcome.SIGNAL
        decision.save(update_fields=("outcome",))
    log.info(
        "trade_opened",
        signal_id=signal_id,
        instrument=trade.instrument,
        direction=trade.direction.value,
        entry_price=str(trade.entry_price),
        lots=str(trade.lots),
    )
    return trade.instrument


def move_trades(symbol: str, ticks: Ticks) -> None:
    """Move a symbol's open trades by these ticks; called in the transaction that uses them."""
    rows = list(models.Trade.objects.open().filter(instrument=symbol).select_related("signal"))
    if not rows:
        return
    instrument = InstrumentRow.objects.get(symbol=symbol).value()
    for row in sorted(rows, key=lambda row: (row.entry_ordinal, row.signal_id)):
        before = trade_value(row)
        after, events = machine.advance(before, instrument, ticks)
        if not events:
            continue
        late = seconds_late(symbol, events, timezone.now())
        _append(row, after, events, instrument, late)


def order_close(trade_id: int, now: datetime) -> Trade:
    """Order to close an open trade at the first tick after ``now``; return it, still open.

    Holding the position, so that no tick is used meanwhile. Where the feed keeps up with the clock
    only ticks from ``now`` on count, so that nobody chooses a price that is known already; a replay
    goes on from its own time. Raises `InvalidTransition` with a sentence for the operator.
    """
    with transaction.atomic():
        symbol = models.Trade.objects.values_list("instrument", flat=True).get(pk=trade_id)
        position = StreamPosition.objects.select_for_update().get(symbol=symbol)
        row = models.Trade.objects.get(pk=trade_id)
        from_ms = max(position.time_ms, position.watermark_ms)
        if was_live(symbol, position.time_ms):
            from_ms = max(from_ms, calendar.milliseconds(now))
        order = CloseOrder(after_ordinal=position.ordinal, from_ms=from_ms)
        trade = machine.order_close(trade_value(row), order)
        _fill_row(row, trade)
        row.save(update_fields=("close_after_ordinal", "close_from"))
    log.info("close_ordered", signal_id=trade.signal_id, after_ordinal=order.after_ordinal)
    return trade


def cancel_trade(signal_id: str) -> Trade:
    """Cancel the trade of a signal before it opens; return it.

    That is possible while the trade waits for ticks that have to be sent again: the symbol's next
    closes wait behind it. Raises `InvalidTransition` with a sentence for the operator.
    """
    with transaction.atomic():
        signal = Signal.objects.select_related("strategy").get(pk=signal_id)
        StreamPosition.objects.select_for_update().get(symbol=signal.instrument)
        decision = Decision.objects.select_for_update().get(
            symbol=signal.instrument, close_time_ms=calendar.milliseconds(signal.timestamp)
        )
        if decision.outcome != Decision.Outcome.OPENING:
            raise InvalidTransition(
                f"{signal_id} cannot be cancelled: its trade was opened or cancelled."
            )
        instrument = InstrumentRow.objects.get(symbol=signal.instrument).value()
        planned = machine.plan_trade(signal_value(signal), instrument, signal.strategy.value())
        trade, events = machine.cancel(planned, Moment.of(entry_tick(decision)))
        row = models.Trade(signal=signal)
        _fill_row(row, trade)
        row.save(force_insert=True)
        _insert_events(row, events, first_number=1)
        _close_signal(signal, trade)
        decision.outcome = Decision.Outcome.SIGNAL
        decision.save(update_fields=("outcome",))
    log.info("trade_cancelled", signal_id=signal_id)
    return trade


def exposure_before(instrument: Instrument, parameters: Parameters, entry: Tick) -> Exposure:
    """Return the instrument's account as it stood before the tick ``entry``.

    Older trades count by their profit alone, so that the cost does not grow with the record.
    """
    remembered_from = calendar.utc(entry.time_ms - memory_ms(parameters))
    opened = models.Trade.objects.exclude(status=TradeStatus.CANCELLED)
    recent = opened.filter(instrument=instrument.symbol).filter(
        Q(exit_time=None) | Q(exit_time__gte=remembered_from)
    )
    older = models.TradeEvent.objects.filter(
        trade__instrument=instrument.symbol, trade__exit_time__lt=remembered_from
    ).aggregate(profit=Sum("profit"))
    return exposure.exposure_before(
        entry.ordinal,
        entry.time_ms,
        [
            (trade_value(row), [event_value(event) for event in row.events.all()])
            for row in recent.order_by("entry_ordinal").prefetch_related("events")
        ],
        instrument,
        parameters,
        settled=older["profit"] or Decimal(0),
    )


def entry_tick(decision: Decision) -> Tick:
    """Return the tick that a decided close is entered at."""
    assert decision.entry_ordinal is not None
    assert decision.entry_time_ms is not None
    assert decision.entry_bid is not None
    assert decision.entry_ask is not None
    return Tick(
        decision.entry_ordinal, decision.entry_time_ms, decision.entry_bid, decision.entry_ask
    )


def trade_value(row: models.Trade) -> Trade:
    """Return the core's value of a trade's row."""
    return Trade(
        signal_id=row.signal_id,
        instrument=row.instrument,
        direction=Direction(row.direction),
        status=TradeStatus(row.status),
        lots=row.lots,
        remaining_lots=row.remaining_lots,
        entry_time_ms=calendar.milliseconds(row.entry_time),
        entry_ordinal=row.entry_ordinal,
        entry_price=row.entry_price,
        stop_loss=row.stop_loss,
        initial_stop_loss=row.initial_stop_loss,
        take_profit_1=row.take_profit_1,
        take_profit_2=row.take_profit_2,
        zone_top=row.zone_top,
        zone_bottom=row.zone_bottom,
        initial_risk=row.initial_risk,
        costs=Costs(**{name: Decimal(value) for name, value in row.costs.items()}),
        expires_at_ms=None if row.expires_at is None else calendar.milliseconds(row.expires_at),
        moved_ordinal=row.moved_ordinal,
        exit_time_ms=None if row.exit_time is None else calendar.milliseconds(row.exit_time),
        exit_ordinal=row.exit_ordinal,
        exit_price=row.exit_price,
        exit_reason=EventKind(row.exit_reason) if row.exit_reason else None,
        profit_loss=row.profit_loss,
        profit_loss_pips=row.profit_loss_pips,
        partial_closes=tuple(map(_partial_close, row.partial_closes)),
        close_order=_close_order(row),
    )


def event_value(row: models.TradeEvent) -> TradeEvent:
    """Return the core's value of an event's row."""
    return TradeEvent(
        kind=EventKind(row.kind),
        before=TradeStatus(row.before),
        after=TradeStatus(row.after),
        time_ms=calendar.milliseconds(row.time),
        ordinal=row.ordinal,
        price=row.price,
        lots=row.lots,
        profit=row.profit,
        pips=row.pips,
        stop_loss=row.stop_loss,
    )


def _fill_row(row: models.Trade, trade: Trade) -> None:
    """Set a row to the core's value; `trade_value` gives exactly that value back."""
    row.instrument = trade.instrument
    row.direction = trade.direction.value
    row.status = trade.status.value
    row.lots = trade.lots
    row.remaining_lots = trade.remaining_lots
    row.entry_time = calendar.utc(trade.entry_time_ms)
    row.entry_ordinal = trade.entry_ordinal
    row.entry_price = trade.entry_price
    row.stop_loss = trade.stop_loss
    row.initial_stop_loss = trade.initial_stop_loss
    row.take_profit_1 = trade.take_profit_1
    row.take_profit_2 = trade.take_profit_2
    row.zone_top = trade.zone_top
    row.zone_bottom = trade.zone_bottom
    row.initial_risk = trade.initial_risk
    row.costs = {name: str(getattr(trade.costs, name)) for name in Costs.__slots__}
    row.expires_at = None if trade.expires_at_ms is None else calendar.utc(trade.expires_at_ms)
    row.moved_ordinal = trade.moved_ordinal
    row.exit_time = None if trade.exit_time_ms is None else calendar.utc(trade.exit_time_ms)
    row.exit_ordinal = trade.exit_ordinal
    row.exit_price = trade.exit_price
    row.exit_reason = "" if trade.exit_reason is None else trade.exit_reason.value
    row.profit_loss = trade.profit_loss
    row.profit_loss_pips = trade.profit_loss_pips
    row.partial_closes = [_partial_close_json(closed) for closed in trade.partial_closes]
    order = trade.close_order
    row.close_after_ordinal = None if order is None else order.after_ordinal
    row.close_from = None if order is None else calendar.utc(order.from_ms)


def _close_order(row: models.Trade) -> CloseOrder | None:
    if row.close_after_ordinal is None or row.close_from is None:
        return None
    return CloseOrder(row.close_after_ordinal, calendar.milliseconds(row.close_from))


def _append(
    row: models.Trade,
    trade: Trade,
    events: Sequence[TradeEvent],
    instrument: Instrument,
    late: Sequence[int | None],
) -> None:
    """Store what happened to an open trade, and tell of it."""
    _fill_row(row, trade)
    row.save()
    number = row.events.count() + 1
    _insert_events(row, events, first_number=number, found_late=late)
    announcements.announce_events(row.signal, trade, events, instrument, late)
    _close_signal(row.signal, trade)


def _partial_close_json(closed: PartialClose) -> dict[str, Any]:
    return {
        "kind": closed.kind.value,
        "time_ms": closed.time_ms,
        "ordinal": closed.ordinal,
        "price": str(closed.price),
        "lots": str(closed.lots),
        "profit": str(closed.profit),
        "pips": str(closed.pips),
    }


def _partial_close(stored: dict[str, Any]) -> PartialClose:
    return PartialClose(
        kind=EventKind(stored["kind"]),
        time_ms=stored["time_ms"],
        ordinal=stored["ordinal"],
        price=Decimal(stored["price"]),
        lots=Decimal(stored["lots"]),
        profit=Decimal(stored["profit"]),
        pips=Decimal(stored["pips"]),
    )


def _insert_events(
    row: models.Trade,
    events: Sequence[TradeEvent],
    *,
    first_number: int,
    found_late: Sequence[int | None] = (),
) -> None:
    """Store events, each linked to the one before; ``found_late`` are seconds for each, or none."""
    last = row.signal.record_hash
    if first_number > 1:
        last = row.events.values_list("record_hash", flat=True).get(number=first_number - 1)
    rows = []
    for number, event in enumerate(events, first_number):
        last = event_link(last, row.signal_id, number, event)
        rows.append(
            models.TradeEvent(
                trade=row,
                number=number,
                kind=event.kind.value,
                before=event.before.value,
                after=event.after.value,
                time=calendar.utc(event.time_ms),
                ordinal=event.ordinal,
                price=event.price,
                lots=event.lots,
                profit=event.profit,
                pips=event.pips,
                stop_loss=event.stop_loss,
                found_late_seconds=found_late[number - first_number] if found_late else None,
                record_hash=last,
            )
        )
    models.TradeEvent.objects.bulk_create(rows)


def _close_signal(signal: Signal, trade: Trade) -> None:
    if not trade.is_open:
        signal.status = Signal.Status.CLOSED
        signal.save(update_fields=("status",))
