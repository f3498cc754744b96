"""Columns that several tables share."""

from enum import StrEnum
from typing import Any

from django.db import models


def price(**options: Any) -> "models.DecimalField[Any, Any]":
    """A price column: ten digits, five of them decimals."""
    return models.DecimalField(max_digits=10, decimal_places=5, **options)


def money(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column of money in the account's currency, to the cent."""
    return models.DecimalField(max_digits=12, decimal_places=2, **options)


def lots(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column of size in lots."""
    return models.DecimalField(max_digits=8, decimal_places=2, **options)


def symbol(**options: Any) -> "models.CharField[Any, Any]":
    """An instrument's symbol."""
    return models.CharField(max_length=20, **options)


def kind(kinds: type[StrEnum], **options: Any) -> "models.CharField[Any, str]":
    """A column of one of these kinds; empty is none of them."""
    return models.CharField(choices=[(each.value, each.value) for each in kinds], **options)
