"""What lists can be narrowed to."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import django_filters
from django.core.exceptions import ValidationError
from django_filters.fields import IsoDateTimeField

from signals_app.confluence.refusals import LiveReason, RefusalReason
from signals_app.market import calendar
from signals_app.market.direction import Direction
from signals_app.models import Decision, Signal

if TYPE_CHECKING:
    from django.db.models import QuerySet


class TimeFormField(IsoDateTimeField):  # type: ignore[misc]
    """An ISO 8601 time, in UTC; one that UTC's calendar does not hold is refused."""

    def clean(self, value: Any) -> datetime | None:
        """The time in UTC; `None` where none is given."""
        time: datetime | None = super().clean(value)
        try:
            return None if time is None else time.astimezone(UTC)
        except OverflowError:
            raise ValidationError("Give a time from the years 1 to 9999 of UTC.") from None


class TimeFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    """Compares a column with an ISO 8601 time."""

    field_class = TimeFormField


def between(column: str) -> dict[str, Any]:
    """The filters `from` (included) and `to` (excluded), ISO 8601, on a time column."""
    return {
        "from": TimeFilter(column, "gte", label=f"{column} at or after this ISO 8601 time"),
        "to": TimeFilter(column, "lt", label=f"{column} before this ISO 8601 time"),
    }


class SignalFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Signals of an instrument, a direction, a status, a time."""

    instrument = django_filters.CharFilter()
    direction = django_filters.ChoiceFilter(
        choices=[(each.value, each.value) for each in Direction]
    )
    status = django_filters.ChoiceFilter(choices=Signal.Status.choices)
    locals().update(between("timestamp"))


class DecisionFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Decided closes of an instrument, a direction, an outcome, a reason, a time."""

    instrument = django_filters.CharFilter("instrument")
    direction = django_filters.ChoiceFilter(
        choices=[(each.value, each.value) for each in Direction]
    )
    outcome = django_filters.ChoiceFilter(choices=Decision.Outcome.choices)
    reason = django_filters.ChoiceFilter(
        choices=[(each.value, each.value) for each in (*RefusalReason, *LiveReason)]
    )
    locals().update(between("close_time_ms"))

    def filter_queryset(self, queryset: "QuerySet[Decision]") -> "QuerySet[Decision]":
        """Filter by Unix milliseconds, which this table's times are stored as."""
        for name, value in self.form.cleaned_data.items():
            if isinstance(value, datetime):
                self.form.cleaned_data[name] = calendar.milliseconds(value)
        narrowed: QuerySet[Decision] = super().filter_queryset(queryset)
        return narrowed
