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


def close_signal(signal: Signal, trade: Trade) -> None:
    """Mark a signal as closed where its trade is over."""
    if not trade.is_open:
        signal.status = Signal.Status.CLOSED
        signal.save(update_fields=("status",))
