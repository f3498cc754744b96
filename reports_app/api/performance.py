"""`/performance/daily`, `weekly` and `monthly`: the rows of performance_metrics."""

import datetime as dt
from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import generics, serializers

from reports_app.models import PerformanceMetric
from reports_app.performance.statistics import Period
from reports_app.track_record.performance import FIGURES, GROUPS, PERIODS
from signals_app.api.filters import TimeFilter
from signals_app.api.serializers import RowSerializer

#: What a period is called in addresses.
NAMES = {"daily": Period.DAY, "weekly": Period.WEEK, "monthly": Period.MONTH}


class PerformanceSerializer(RowSerializer):
    """One instrument's day, week (from Monday) or month, in UTC.

    Trades count where they closed, signals where they were made. Trades that ended at exactly
    nothing neither win nor lose. The `by_...` hold the same figures for each group.
    """

    until = serializers.SerializerMethodField(help_text="last day of the period")

    class Meta:
        model = PerformanceMetric
        fields: ClassVar = (
            "instrument",
            "date",
            "until",
            *FIGURES,
            *GROUPS,
            "calculated_at",
        )

    def get_until(self, row: PerformanceMetric) -> dt.date:
        return Period(row.period).last_day(row.date)


class PerformanceFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Whole periods of an instrument that overlap a span of time."""

    instrument = django_filters.CharFilter()
    locals().update(
        {
            "from": TimeFilter(
                method="ending_after", label="periods that end after this ISO 8601 time"
            ),
            "to": TimeFilter(
                method="beginning_before", label="periods that begin before this ISO 8601 time"
            ),
        }
    )

    def ending_after(self, rows: "QuerySet[Any]", _name: str, time: dt.datetime) -> "QuerySet[Any]":
        """The periods that hold ``time`` or come later."""
        day = time.astimezone(dt.UTC).date()
        later = Q()
        for period in PERIODS:
            later |= Q(period=period.value, date__gte=period.beginning(day))
        return rows.filter(later)

    def beginning_before(
        self, rows: "QuerySet[Any]", _name: str, time: dt.datetime
    ) -> "QuerySet[Any]":
        """The periods whose first midnight is before ``time``."""
        time = time.astimezone(dt.UTC)
        if time.time() == dt.time.min:
            return rows.filter(date__lt=time.date())
        return rows.filter(date__lte=time.date())


class PerformanceReport(generics.ListAPIView[PerformanceMetric]):
    """What the closed trades earned, the newest period first."""

    period = Period.DAY
    queryset = PerformanceMetric.objects.all()
    serializer_class = PerformanceSerializer
    filterset_class = PerformanceFilter
    ordering = ("-date", "instrument")

    def get_queryset(self) -> "QuerySet[PerformanceMetric]":
        return super().get_queryset().filter(period=self.period.value)
