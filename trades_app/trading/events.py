"""What happened to a trade, stored event by event: each is linked to the one before it."""

from collections.abc import Sequence

from signals_app.models import Signal
from trades_app import models
from trades_app.lifecycle.hash_chain import event_link
from trades_app.lifecycle.trade import Trade, TradeEvent


def store_events(
    row: models.Trade,
    events: Sequence[TradeEvent],
    *,
    first_number: int,
    found_late: Sequence[int | None] = (),
) -> None:
    """Store events, each linked to the one before; ``found_late`` are seconds for each, or none.

    To be called in a transaction.
    """
    models.TradeEvent.objects.bulk_create(
        models.TradeEvent.of(
            event,
            trade=row,
            number=number,
            found_late_seconds=found_late[number - first_number] if found_late else None,
        )
        for number, event in enumerate(events, first_number)
    )
    _link_events(row, first_number)


def _link_events(row: models.Trade, first_number: int) -> None:
    """Link the events from ``first_number`` on, as the database gives them back.

    The proof reads rows: what is linked must be what it will read, not what was in memory.
    """
    last = row.signal.record_hash
    if first_number > 1:
        last = row.events.values_list("record_hash", flat=True).get(number=first_number - 1)
    stored = list(row.events.filter(number__gte=first_number).order_by("number"))
    for event in stored:
        last = event.record_hash = event_link(last, row.signal_id, event.number, event.value())
    models.TradeEvent.objects.bulk_update(stored, ("record_hash",))


def close_signal(signal: Signal, trade: Trade) -> None:
    """Mark a signal as closed where its trade is over."""
    if not trade.is_open:
        signal.status = Signal.Status.CLOSED
        signal.save(update_fields=("status",))
