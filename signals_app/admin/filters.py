"""Filters beside a list: by instrument, timeframe or direction.

Their choices are known beforehand: looking for the distinct values of a large table takes long.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from signals_app.admin.display import digits_by_symbol
from signals_app.market.candle import TIMEFRAMES
from signals_app.market.direction import Direction


class ColumnFilter(admin.SimpleListFilter):
    """Narrows a list to rows with one value in the column named by `parameter_name`."""

    def column_values(self) -> Iterable[str]:
        """What can be chosen, in the order in which it is shown."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [(str(value), str(value)) for value in self.column_values()]

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: "models.QuerySet[Any]",
    ) -> "models.QuerySet[Any]":
        chosen = self.value()
        return queryset.filter(**{str(self.parameter_name): chosen}) if chosen else queryset


class InstrumentFilter(ColumnFilter):
    title = "instrument"
    parameter_name = "instrument"

    def column_values(self) -> Iterable[str]:
        return digits_by_symbol()


class TimeframeFilter(ColumnFilter):
    """By one of the timeframes that the pipeline builds."""

    title = "timeframe"
    parameter_name = "timeframe"

    def column_values(self) -> Iterable[str]:
        return TIMEFRAMES


class DirectionFilter(ColumnFilter):
    title = "direction"
    parameter_name = "direction"

    def column_values(self) -> Iterable[str]:
        return Direction
