"""Filters beside a list narrow it to one value of a column."""

import pytest
from django.contrib import admin
from django.test import RequestFactory

from signals_app.admin.filters import (
    ColumnFilter,
    DirectionFilter,
    InstrumentFilter,
    TimeframeFilter,
)
from signals_app.market.candle import Candle, Timeframe
from signals_app.models import PriceCandle

pytestmark = pytest.mark.django_db


def filtered(kind: type[ColumnFilter], chosen: dict[str, list[str]]) -> ColumnFilter:
    request = RequestFactory().get("/")
    return kind(request, chosen, PriceCandle, admin.site.get_model_admin(PriceCandle))


@pytest.mark.parametrize(
    ("kind", "choices"),
    [
        (InstrumentFilter, ["EURUSD", "GBPUSD", "USDCAD", "XAUUSD"]),
        (TimeframeFilter, ["M15", "H1", "H4"]),
        (DirectionFilter, ["BUY", "SELL"]),
    ],
)
def test_the_choices_are_known_without_looking_at_the_table(
    kind: type[ColumnFilter], choices: list[str]
) -> None:
    assert filtered(kind, {}).lookup_choices == [(one, one) for one in choices]


def test_only_rows_with_the_chosen_value_are_listed() -> None:
    for timeframe in (Timeframe.M15, Timeframe.H1):
        PriceCandle.objects.bulk_create(
            PriceCandle.of(
                "XAUUSD",
                timeframe,
                [Candle(0, 1.0, 1.0, 1.0, 1.0, 1.0)],
                PriceCandle.Source.TICKS,
            )
        )
    request, every = RequestFactory().get("/"), PriceCandle.objects.all()

    (hour,) = filtered(TimeframeFilter, {"timeframe": ["H1"]}).queryset(request, every)

    assert hour.timeframe == "H1"
    assert filtered(TimeframeFilter, {}).queryset(request, every).count() == 2
