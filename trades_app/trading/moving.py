"""Open trades moved by the ticks that a symbol's stream brings."""

from collections.abc import Sequence

import structlog
from django.utils import timezone

from signals_app.market.instrument import Instrument
from signals_app.market.tick import Ticks
from signals_app.models import Instrument as InstrumentRow
from trades_app import models
from trades_app.lifecycle import machine
from trades_app.lifecycle.trade import Trade, TradeEvent
from trades_app.notifications import announcements
from trades_app.trading.events import close_signal, store_events
from trades_app.trading.lateness import seconds_late

log = structlog.get_logger(__name__)


def move_trades(symbol: str, ticks: Ticks) -> None:
    """Move a symbol's open trades by these ticks; called in the transaction that uses them."""
    # Without their signals: a batch of ticks seldom moves a trade, and only then are they needed.
    rows = list(models.Trade.objects.open().filter(instrument=symbol))
    if not rows:
        return
    instrument = InstrumentRow.objects.get(symbol=symbol).value()
    for row in sorted(rows, key=lambda row: (row.entry_ordinal, row.signal_id)):
        before = row.value()
        after, events = machine.advance(before, instrument, ticks)
        if not events:
            continue
        late = seconds_late(symbol, events, timezone.now())
        _store(row, after, events, instrument, late)


def _store(
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
    store_events(row, events, first_number=number, found_late=late)
    announcements.announce_events(row.signal, trade, events, instrument, late)
    close_signal(row.signal, trade)
