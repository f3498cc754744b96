"""What is traded, as the operator sets it."""

from django.core.validators import MinValueValidator
from django.db import models

from signals_app.market import instrument as market
from signals_app.models import fields


class Instrument(models.Model):
    """One symbol: its grid, its lots, its account and its Telegram channel."""

    symbol = fields.symbol(primary_key=True)
    pip = models.FloatField(help_text="price of one pip", validators=[MinValueValidator(1e-5)])
    contract_size = models.PositiveIntegerField(help_text="units in one lot")
    digits = models.PositiveSmallIntegerField(help_text="decimals shown to people")
    signal_prefix = models.CharField(max_length=8, help_text="first part of a signal's id")
    default_spread = models.FloatField(help_text="price; used where a file has no spread")
    lot_step = fields.lots(default="0.01")
    minimum_lot = fields.lots(default="0.01")
    maximum_lot = fields.lots(default="50")
    starting_balance = fields.money(default="10000", help_text="the instrument's own account")
    quote_currency = models.CharField(max_length=3, default="USD")
    telegram_channel = models.CharField(
        max_length=64, blank=True, help_text="@name or numeric id; empty: messages stay here"
    )
    is_active = models.BooleanField(default=True, help_text="off: ticks are stored, no new signals")

    class Meta:
        db_table = "instruments"
        ordering = ("symbol",)

    def __str__(self) -> str:
        return str(self.symbol)

    def value(self) -> market.Instrument:
        """Return the core's value of this row."""
        return market.Instrument(
            symbol=self.symbol,
            pip=self.pip,
            contract_size=self.contract_size,
            digits=self.digits,
            signal_prefix=self.signal_prefix,
            default_spread=self.default_spread,
            lot_step=self.lot_step,
            minimum_lot=self.minimum_lot,
            maximum_lot=self.maximum_lot,
            starting_balance=self.starting_balance,
            quote_currency=self.quote_currency,
        )
