"""How an instrument's account stood just before a tick, read from the database."""

from decimal import Decimal

from django.db.models import Q, Sum

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure
from signals_app.market import calendar
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Tick
from trades_app import models
from trades_app.lifecycle import exposure
from trades_app.lifecycle.exposure import memory_ms
from trades_app.lifecycle.trade import TradeStatus


def exposure_before(instrument: Instrument, parameters: Parameters, entry: Tick) -> Exposure:
    """The instrument's account as it stood before the tick ``entry``.

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
