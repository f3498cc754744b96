"""A signal's trade opened at its entry tick, or cancelled before that."""

import structlog
from django.db import transaction
from django.utils import timezone

from signals_app.market import calendar
from signals_app.market.candle import Timeframe
from signals_app.market.instrument import Instrument
from signals_app.models import Decision, Signal, StreamPosition
from signals_app.models import Instrument as InstrumentRow
from signals_app.pipeline import stream
from signals_app.pipeline.candles import candle_id
from signals_app.services import audit
from signals_app.services.audit import Change
from trades_app import models
from trades_app.lifecycle import machine
from trades_app.lifecycle.fills import Moved
from trades_app.lifecycle.trade import Moment, Trade, TradeEvent
from trades_app.lifecycle.transitions import InvalidTransition
from trades_app.notifications import announcements
from trades_app.trading.events import close_signal, store_events
from trades_app.trading.lateness import seconds_late

log = structlog.get_logger(__name__)


def open_trade(signal_id: str) -> str | None:
    """Open a signal's trade at its entry tick and let it catch up with the stream.

    Returns the symbol whose next close may now be decided; `None` where the trade was open
    already. Raises `stream.TicksMissing` where Redis has to be given the ticks again first.
    """
    with transaction.atomic():
        signal = Signal.objects.select_related("strategy").get(pk=signal_id)
        # Whoever holds the position decides which ticks have moved trades; ours waits for it.
        position = StreamPosition.objects.select_for_update().get(instrument=signal.instrument)
        decision = Decision.objects.select_for_update().get(
            instrument=signal.instrument, close_time_ms=calendar.milliseconds(signal.timestamp)
        )
        if decision.outcome != Decision.Outcome.OPENING:
            return None
        instrument = InstrumentRow.objects.get(symbol=signal.instrument).value()
        value = signal.value()
        entry = decision.entry_tick()
        trade, events = machine.open_trade(
            value, instrument, entry, signal.strategy.value(), decision.rate
        )
        opened = trade
        trade, more = catch_up(trade, instrument, position)
        events += more
        row = models.Trade(signal=signal)
        row.fill(trade)
        row.save(force_insert=True)
        late = seconds_late(trade.instrument, events, timezone.now())
        store_events(row, events, first_number=1, found_late=late)
        announcements.announce_signal(signal, instrument, opened, late[0])
        announcements.announce_events(signal, trade, events, instrument, late)
        close_signal(signal, trade)
        decision.outcome = Decision.Outcome.SIGNAL
        decision.save(update_fields=("outcome",))
    log.info(
        "trade_opened",
        candle=candle_id(trade.instrument, [(Timeframe.M15, decision.close_time_ms)]),
        signal_id=signal_id,
        instrument=trade.instrument,
        direction=trade.direction.value,
        entry_price=str(trade.entry_price),
        lots=str(trade.lots),
    )
    return trade.instrument


def cancel_trade(signal_id: str) -> Trade:
    """Cancel the trade of a signal before it opens; return it.

    That is possible while the trade waits for ticks that have to be sent again: the symbol's next
    closes wait behind it. Raises `InvalidTransition` with a sentence for the operator.
    """
    with transaction.atomic():
        signal = Signal.objects.select_related("strategy").get(pk=signal_id)
        StreamPosition.objects.select_for_update().get(instrument=signal.instrument)
        decision = Decision.objects.select_for_update().get(
            instrument=signal.instrument, close_time_ms=calendar.milliseconds(signal.timestamp)
        )
        if decision.outcome != Decision.Outcome.OPENING:
            raise InvalidTransition(
                f"{signal_id} cannot be cancelled: its trade was opened or cancelled."
            )
        instrument = InstrumentRow.objects.get(symbol=signal.instrument).value()
        planned = machine.plan_trade(
            signal.value(), instrument, signal.strategy.value(), decision.rate
        )
        trade, events = machine.cancel(planned, Moment.of(decision.entry_tick()))
        row = models.Trade(signal=signal)
        row.fill(trade)
        row.save(force_insert=True)
        store_events(row, events, first_number=1)
        close_signal(signal, trade)
        decision.outcome = Decision.Outcome.SIGNAL
        decision.save(update_fields=("outcome",))
        cancelled = {"signal": signal_id, "status": row.status}
        audit.record(Change.of_row("cancelled", row, after=cancelled))
    log.info("trade_cancelled", signal_id=signal_id)
    return trade


def catch_up(trade: Trade, instrument: Instrument, position: StreamPosition) -> Moved:
    """A trade that was just opened after all ticks up to the position, and what they did.

    Raises `stream.TicksMissing` where Redis no longer holds them.
    """
    events: tuple[TradeEvent, ...] = ()
    for ticks in stream.read_ticks(trade.instrument, trade.entry_ordinal, position.ordinal):
        trade, more = machine.advance(trade, instrument, ticks)
        events += more
        if not trade.is_open:
            break
    return trade, events
