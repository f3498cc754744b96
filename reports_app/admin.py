"""What each instrument earned in each day, week and month."""

from django.contrib import admin
from django.utils.safestring import SafeString

from reports_app.models import PerformanceMetric
from signals_app.admin.base import ReadOnlyAdmin
from signals_app.admin.display import money
from signals_app.admin.filters import InstrumentFilter


@admin.register(PerformanceMetric)
class PerformanceMetricAdmin(ReadOnlyAdmin):
    """Days, weeks and months, newest first."""

    list_display = (
        "date",
        "period",
        "instrument",
        "total_signals",
        "winning_trades",
        "losing_trades",
        "rate",
        "average_rr",
        "pips",
        "profit",
    )
    list_filter = ("period", InstrumentFilter)
    ordering = ("-date", "instrument")

    @admin.display(description="win rate", ordering="win_rate")
    def rate(self, day: PerformanceMetric) -> str:
        return "-" if day.win_rate is None else f"{day.win_rate:.0f} %"

    @admin.display(description="pips", ordering="total_pips")
    def pips(self, day: PerformanceMetric) -> str:
        return f"{day.total_pips:+z,.1f}"

    @admin.display(description="profit", ordering="total_profit_loss")
    def profit(self, day: PerformanceMetric) -> SafeString | str:
        return money(day.total_profit_loss)
