"""What lists can be narrowed to."""

from typing import Any

import django_filters

from signals_app.confluence.direction import Direction
from signals_app.models import Signal


def between(column: str) -> dict[str, Any]:
    """Return the filters `from` (included) and `to` (excluded), ISO 8601, on a time column."""
    return {
        "from": django_filters.IsoDateTimeFilter(
            column, "gte", label=f"{column} at or after this ISO 8601 time"
        ),
        "to": django_filters.IsoDateTimeFilter(
            column, "lt", label=f"{column} before this ISO 8601 time"
        ),
    }


class SignalFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Signals of an instrument, a direction, a status, a time."""

    instrument = django_filters.CharFilter()
    direction = django_filters.ChoiceFilter(choices=[(way.value, way.value) for way in Direction])
    status = django_filters.ChoiceFilter(choices=Signal.Status.choices)
    locals().update(between("timestamp"))
