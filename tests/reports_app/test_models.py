"""Rows of figures and of sealed days."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from reports_app.models import PERFORMANCE_PERIODS, PerformanceMetric
from reports_app.performance.statistics import Period

pytestmark = pytest.mark.django_db


def metric(**changes: object) -> PerformanceMetric:
    figures = {
        "instrument": "XAUUSD",
        "date": date(2024, 1, 5),
        "total_signals": 3,
        "winning_trades": 2,
        "losing_trades": 1,
        "total_pips": Decimal("80.00"),
        "total_profit_loss": Decimal("400.00"),
    }
    return PerformanceMetric(**{**figures, **changes})


def test_figures_are_kept_of_days_weeks_and_months_and_years_are_added_up() -> None:
    assert set(Period) - set(PERFORMANCE_PERIODS) == {Period.YEAR}
    column = PerformanceMetric._meta.get_field("period")
    for period in PERFORMANCE_PERIODS:
        assert column.clean(period, None) == period
    with pytest.raises(ValidationError, match="is not a valid choice"):
        column.clean(Period.YEAR, None)


def test_a_period_of_an_instrument_has_one_row() -> None:
    metric().save()
    metric(period=Period.MONTH, date=date(2024, 1, 1)).save()

    with pytest.raises(IntegrityError):
        metric().save()
