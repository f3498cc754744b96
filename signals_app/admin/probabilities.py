"""Measured probabilities of the events that signals lean on, by calibration."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from signals_app.admin.base import ReadOnlyAdmin
from signals_app.admin.display import close_time, moment
from signals_app.admin.filters import InstrumentFilter, TimeframeFilter
from signals_app.models import MeasuredProbability


class UseFilter(admin.SimpleListFilter):
    """Narrows the list to the calibrations that new signals are judged by."""

    title = "use"
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("now", "what signals say now")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        return queryset.in_use() if self.value() == "now" else queryset


@admin.register(MeasuredProbability)
class MeasuredProbabilityAdmin(ReadOnlyAdmin):
    """The calibrations, the newest first."""

    list_display = (
        "event",
        "instrument",
        "timeframe",
        "direction",
        "scores",
        "n",
        "wins",
        "measured",
        "random_entries",
        "placebos",
        "data_until",
        "measured_at",
    )
    list_filter = (UseFilter, InstrumentFilter, TimeframeFilter, "event_type", "event_kind")
    ordering = ("-made_at", "instrument", "timeframe", "pk")
    sortable_by = ()

    @admin.display(description="event")
    def event(self, row: MeasuredProbability) -> str:
        return f"{row.event_type} {row.event_kind}"

    @admin.display(description="scores")
    def scores(self, row: MeasuredProbability) -> str:
        return row.value().scores.removeprefix("score ")

    @admin.display(description="probability, 95 %")
    def measured(self, row: MeasuredProbability) -> str:
        if row.p is None or row.low is None or row.high is None:
            return "not measured"
        return f"{row.p:.1%} [{100 * row.low:.0f}-{100 * row.high:.0f}]"

    @admin.display(description="random entries")
    def random_entries(self, row: MeasuredProbability) -> str:
        """How often matched random entries won."""
        return "-" if row.p0 is None else f"{row.p0:.1%}"

    @admin.display(description="placebos")
    def placebos(self, row: MeasuredProbability) -> str:
        """How often the same shape won where the detector found nothing."""
        return "-" if row.placebo is None else f"{row.placebo:.1%}"

    @admin.display(description="data until (UTC)")
    def data_until(self, row: MeasuredProbability) -> str:
        return close_time(row.data_to)

    @admin.display(description="made (UTC)")
    def measured_at(self, row: MeasuredProbability) -> str:
        return moment(row.made_at)
