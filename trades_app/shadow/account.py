"""The account that a strategy in shadow decides a symbol's closes with."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import models as db

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure
from signals_app.market import calendar
from signals_app.market import instrument as market
from signals_app.market.tick import Tick
from signals_app.models import Strategy
from trades_app.lifecycle import exposure
from trades_app.models import ShadowTrade


@dataclass(frozen=True, slots=True)
class ShadowAccount:
    """What a strategy in shadow decides a symbol's closes with."""

    strategy: Strategy
    parameters: Parameters
    instrument: market.Instrument
    is_active: bool

    @property
    def trades(self) -> "db.QuerySet[ShadowTrade]":
        """All its trades of the symbol."""
        return ShadowTrade.objects.filter(
            strategy=self.strategy, instrument=self.instrument.symbol, failure=""
        )

    def exposure_before(self, entry: Tick) -> Exposure:
        """The account as it stood before the tick ``entry``, as the live one is read."""
        remembered_from = calendar.utc(entry.time_ms - exposure.memory_ms(self.parameters))
        older = self.trades.filter(exit_time__lt=remembered_from)
        recent = self.trades.exclude(exit_time__lt=remembered_from).order_by("entry_ordinal")
        return exposure.exposure_before(
            entry.ordinal,
            entry.time_ms,
            [(row.value(), row.event_values()) for row in recent],
            self.instrument,
            self.parameters,
            settled=older.aggregate(profit=db.Sum("profit_loss"))["profit"] or Decimal(0),
        )

    def next_number(self, close_time_ms: int) -> int:
        """The number of the next signal on the UTC day of a close."""
        of_the_day = ShadowTrade.objects.filter(
            strategy=self.strategy,
            instrument=self.instrument.symbol,
            close_time__date=calendar.utc(close_time_ms).date(),
        )
        return of_the_day.count() + 1
