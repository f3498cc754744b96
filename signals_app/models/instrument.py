"""What is traded, as the operator sets it."""

from decimal import Decimal
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Upper

from signals_app.chat_names import NotAChat, normalised
from signals_app.market import instrument as market
from signals_app.market.built_in import pair_of
from signals_app.market.conversion import NoRate, rate_pair
from signals_app.models import fields
from signals_app.models.values import ValueColumns


class Weekday(models.IntegerChoices):
    """The trading days, as `date.weekday` counts them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4


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
    swap_long_points = fields.swap_points(help_text="a night of a lot bought; negative costs")
    swap_short_points = fields.swap_points(help_text="a night of a lot sold; negative costs")
    triple_swap_day = models.PositiveSmallIntegerField(
        choices=Weekday.choices,
        default=Weekday.WEDNESDAY,
        help_text="whose night counts for the weekend too",
    )
    maximum_spread_pips = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0)],
        help_text="instead of the strategy's; empty: the strategy's",
    )
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
        try:
            self.telegram_channel = normalised(self.telegram_channel)
        except NotAChat as wrong:
            raise ValidationError({"telegram_channel": str(wrong)}) from None
        pair = pair_of(self.symbol)
        if pair is not None and pair[1] != self.quote_currency:
            text = f"{self.symbol} is quoted in {pair[1]}, not in {self.quote_currency}."
            raise ValidationError({"quote_currency": text})
        try:
            rate_pair(self.value())
        except NoRate as unknown:
            raise ValidationError({"quote_currency": f"{unknown}."}) from None

    def value(self) -> market.Instrument:
        """The core's value of this row."""
        return self.columns.value(self)
