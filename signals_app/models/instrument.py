"""What is traded, as the operator sets it."""

from decimal import Decimal
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Upper

from signals_app.confluence.sizing import ACCOUNT_CURRENCY, NoRate, to_account
from signals_app.market import instrument as market
from signals_app.models import fields
from signals_app.models.values import ValueColumns

#: What brokers quote pairs in: the last three letters of a pair's six are its quote currency.
_CURRENCIES = (
    "AUD CAD CHF CNH CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN NOK NZD PLN RON RUB SEK SGD THB TRY "
    "USD ZAR"
)


class Instrument(models.Model):
    """One symbol: its grid, its lots, its account and its Telegram channel."""

    symbol = fields.symbol(primary_key=True)
    pip = models.FloatField(help_text="price of one pip", validators=[MinValueValidator(1e-5)])
    contract_size = models.PositiveIntegerField(
        help_text="units in one lot", validators=[MinValueValidator(1)]
    )
    digits = models.PositiveSmallIntegerField(
        help_text="decimals shown to people",
        validators=[MaxValueValidator(market.PRICE_DECIMALS)],
    )
    signal_prefix = models.CharField(max_length=8, help_text="first part of a signal's id")
    default_spread = models.FloatField(
        help_text="price; used where a file has no spread", validators=[MinValueValidator(0.0)]
    )
    lot_step = fields.lots(default="0.01", validators=[MinValueValidator(Decimal("0.01"))])
    minimum_lot = fields.lots(default="0.01", validators=[MinValueValidator(Decimal("0.01"))])
    maximum_lot = fields.lots(default="50")
    starting_balance = fields.money(default="10000", help_text="the instrument's own account")
    quote_currency = models.CharField(max_length=3, default="USD")
    telegram_channel = models.CharField(
        max_length=64, blank=True, help_text="@name or numeric id; empty: messages stay here"
    )
    is_active = models.BooleanField(default=True, help_text="off: ticks are stored, no new signals")

    columns: ClassVar = ValueColumns(market.Instrument)

    class Meta:
        db_table = "instruments"
        ordering = ("symbol",)
        constraints = (
            models.UniqueConstraint(
                Upper("symbol"),
                name="one_instrument_per_symbol",
                violation_error_message=(
                    "There is an instrument of this symbol, be it in other case."
                ),
            ),
            # Ids of signals begin with it.
            models.UniqueConstraint(
                Upper("signal_prefix"),
                name="one_instrument_per_prefix",
                violation_error_message=(
                    "Another instrument has this signal prefix: ids would collide."
                ),
            ),
        )

    def __str__(self) -> str:
        return str(self.symbol)

    def clean(self) -> None:
        """Refuse what would be sized in the wrong currency, or could not be sized at all."""
        super().clean()
        self.quote_currency = self.quote_currency.upper()
        pair = self.symbol[:6].upper()
        quoted_in = pair[3:]
        if pair.isalpha() and quoted_in in _CURRENCIES.split() and quoted_in != self.quote_currency:
            text = f"{self.symbol} is quoted in {quoted_in}, not in {self.quote_currency}."
            raise ValidationError({"quote_currency": text})
        try:
            to_account(self.value(), Decimal(1), Decimal(1))
        except NoRate as unknown:
            text = f"{unknown}. Only what has {ACCOUNT_CURRENCY} on one side can be traded."
            raise ValidationError({"quote_currency": text}) from None

    def value(self) -> market.Instrument:
        """The core's value of this row."""
        return self.columns.value(self)
