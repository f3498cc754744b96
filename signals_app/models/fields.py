"""Columns that several tables share."""

from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from signals_app.market.calendar import milliseconds, utc
from signals_app.market.candle import Timeframe
from signals_app.market.instrument import PRICE_DECIMALS

if TYPE_CHECKING:
    _DateTimeField: TypeAlias = models.DateTimeField[Any, Any]
else:
    _DateTimeField = models.DateTimeField


class MomentField(_DateTimeField):
    """A time, at rest like every other; in Python the Unix milliseconds that the core counts in."""

    if TYPE_CHECKING:
        _pyi_private_set_type: int  # type: ignore[assignment]
        _pyi_private_get_type: int  # type: ignore[assignment]
        _pyi_lookup_exact_type: int  # type: ignore[assignment]

    def from_db_value(
        self, value: datetime | None, _expression: Any, _connection: BaseDatabaseWrapper
    ) -> int | None:
        return None if value is None else milliseconds(value)

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, int) else super().to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        return utc(value) if isinstance(value, int) else super().get_prep_value(value)


def price(**options: Any) -> "models.DecimalField[Any, Any]":
    """A price column: up to `HIGHEST_PRICE`, on the five-decimal grid."""
    return models.DecimalField(max_digits=15, decimal_places=PRICE_DECIMALS, **options)


def pips(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column of a distance in pips, of whatever price and pip."""
    return models.DecimalField(max_digits=16, decimal_places=2, **options)


def money(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column of money in the account's currency, to the cent."""
    return models.DecimalField(max_digits=12, decimal_places=2, **options)


def lots(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column of size in lots."""
    return models.DecimalField(max_digits=8, decimal_places=2, **options)


def swap_points(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column of a night's swap for one lot, in a broker's points."""
    return models.DecimalField(max_digits=12, decimal_places=3, default=0, **options)


def symbol(**options: Any) -> "models.CharField[Any, Any]":
    return models.CharField(max_length=20, **options)


def kind(*kinds: type[StrEnum], **options: Any) -> "models.CharField[Any, str]":
    """A column of one of these kinds; empty is none of them."""
    each = chain.from_iterable(kinds)
    return models.CharField(choices=[(one.value, one.value) for one in each], **options)


def timeframe(*, max_length: int = 3) -> "models.CharField[Any, str]":
    """A candle's length."""
    return kind(Timeframe, max_length=max_length)


def moment(column: str, **options: Any) -> MomentField:
    """A column of a moment; its name is the attribute's without the unit, `_ms`."""
    return MomentField(db_column=column, **options)
