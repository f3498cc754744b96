"""An open trade ordered to close, at a price that nobody knows yet."""

from datetime import datetime

import structlog
from django.db import transaction

from signals_app.market import calendar
from signals_app.models import StreamPosition
from signals_app.services import audit
from signals_app.services.audit import Change
from trades_app import models
from trades_app.lifecycle import machine
from trades_app.lifecycle.trade import CloseOrder, Trade
from trades_app.trading.lateness import was_live

log = structlog.get_logger(__name__)


def order_close(trade_id: int, now: datetime) -> Trade:
    """Order to close an open trade at the first tick after ``now``; return it, still open.

    Holding the position, so that no tick is used meanwhile. Where the feed keeps up with the clock
    only ticks from ``now`` on count, so that nobody chooses a price that is known already; a replay
    goes on from its own time. Raises `InvalidTransition` with a sentence for the operator.
    """
    with transaction.atomic():
        symbol = models.Trade.objects.values_list("instrument", flat=True).get(pk=trade_id)
        position = StreamPosition.objects.select_for_update().get(instrument=symbol)
        row = models.Trade.objects.get(pk=trade_id)
        from_ms = max(position.time_ms, position.watermark_ms)
        if was_live(symbol, position.time_ms):
            from_ms = max(from_ms, calendar.milliseconds(now))
        order = CloseOrder(after_ordinal=position.ordinal, from_ms=from_ms)
        trade = machine.order_close(row.value(), order)
        row.fill(trade)
        row.save(update_fields=("close_after_ordinal", "close_from"))
        ordered = {"signal": trade.signal_id, "close_from": row.close_from}
        audit.record(Change.of_row("ordered to close", row, after=ordered))
    log.info("close_ordered", signal_id=trade.signal_id, after_ordinal=order.after_ordinal)
    return trade
