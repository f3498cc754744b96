"""Writes of trades, each with its events and messages in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import structlog
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure
from signals_app.market import calendar
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Tick, Ticks
from signals_app.models import Decision, Signal, StreamPosition
from signals_app.models import Instrument as InstrumentRow
from signals_app.pipeline import stream
from trades_app import models
from trades_app.lifecycle import exposure, machine
from trades_app.lifecycle.exposure import memory_ms
from trades_app.lifecycle.hash_chain import event_link
from trades_app.lifecycle.trade import CloseOrder, Moment, Trade, TradeEvent, TradeStatus
from trades_app.lifecycle.transitions import InvalidTransition
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
        value = signal.value()
        entry = entry_tick(decision)
        trade, events = machine.open_trade(value, instrument, entry, signal.strategy.value())
        opened = trade
        for ticks in stream.read_ticks(signal.instrument, entry.ordinal, position.ordinal):
            trade, more = machine.advance(trade, instrument, ticks)
            events += more
            if not trade.is_open:
                break
        row = models.Trade(signal=signal)
        row.fill(trade)
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
        before = row.value()
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
        trade = machine.order_close(row.value(), order)
        row.fill(trade)
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
        planned = machine.plan_trade(signal.value(), instrument, signal.strategy.value())
        trade, events = machine.cancel(planned, Moment.of(entry_tick(decision)))
        row = models.Trade(signal=signal)
        row.fill(trade)
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
            (row.value(), [event.value() for event in row.events.all()])
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


def _append(
    row: models.Trade,
    trade: Trade,
    events: Sequence[TradeEvent],
    instrument: Instrument,
    late: Sequence[int | None],
) -> None:
    """Store what happened to an open trade, and announce it."""
    row.fill(trade)
    row.save()
    number = row.events.count() + 1
    _insert_events(row, events, first_number=number, found_late=late)
    announcements.announce_events(row.signal, trade, events, instrument, late)
    _close_signal(row.signal, trade)


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
            models.TradeEvent.of(
                event,
                trade=row,
                number=number,
                found_late_seconds=found_late[number - first_number] if found_late else None,
                record_hash=last,
            )
        )
    models.TradeEvent.objects.bulk_create(rows)


def _close_signal(signal: Signal, trade: Trade) -> None:
    if not trade.is_open:
        signal.status = Signal.Status.CLOSED
        signal.save(update_fields=("status",))
