"""Signals: their levels, why they were made, and whether their trade still runs."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from signals_app.admin.base import ReadOnlyAdmin
from signals_app.admin.display import (
    BAD,
    GOOD,
    NEUTRAL,
    close_time,
    labelled,
    moment,
    nowrap,
    shown,
)
from signals_app.admin.filters import DirectionFilter, InstrumentFilter
from signals_app.market.direction import Direction
from signals_app.models import Signal


@admin.register(Signal)
class SignalAdmin(ReadOnlyAdmin):
    """Every signal that was made, newest first."""

    list_display = (
        "signal_id",
        "direction_label",
        "status_label",
        "closed_at",
        "entry",
        "stop",
        "targets",
        "ratio",
        "confidence",
        "setup_type",
        "session",
        "strategy",
    )
    list_filter = ("status", InstrumentFilter, DirectionFilter, "session")
    search_fields = ("signal_id", "setup_type")
    search_help_text = "Signal id or setup"
    date_hierarchy = "timestamp"
    ordering = ("-timestamp", "-signal_id")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("signal_id", "status_label"),
                    ("direction_label", "strategy"),
                    ("closed_at", "session"),
                )
            },
        ),
        (
            "Levels",
            {"fields": (("entry", "stop"), ("first_target", "second_target"), ("zone", "ratio"))},
        ),
        ("Size", {"fields": (("position_size", "risk_percentage"),)}),
        (
            "Why",
            {
                "fields": (
                    ("confidence", "market_structure"),
                    "setup_type",
                    ("probability_measured", "probability_of"),
                    "reasons",
                    "h4_context",
                    "h1_context",
                    "m15_context",
                )
            },
        ),
        ("Traceability", {"fields": (("entry_ordinal", "entered_at"), "created_at")}),
    )

    def get_queryset(self, request: HttpRequest):  # type: ignore[no-untyped-def]
        return super().get_queryset(request).select_related("strategy")

    @labelled("direction", {Direction.BUY: GOOD, Direction.SELL: BAD}, "direction")
    def direction_label(self, signal: Signal) -> str:
        return signal.direction

    @labelled("status", {Signal.Status.ACTIVE: NEUTRAL, Signal.Status.CLOSED: ""}, "status")
    def status_label(self, signal: Signal) -> str:
        return signal.status

    @admin.display(description="candle close (UTC)", ordering="timestamp")
    def closed_at(self, signal: Signal) -> SafeString | str:
        """The close of the candle that it was made on."""
        return close_time(signal.timestamp)

    @admin.display(description="entry")
    def entry(self, signal: Signal) -> str:
        return shown(signal.instrument, signal.entry_price)

    @admin.display(description="stop loss")
    def stop(self, signal: Signal) -> str:
        return shown(signal.instrument, signal.stop_loss)

    @admin.display(description="take profit 1 / 2")
    def targets(self, signal: Signal) -> SafeString:
        return nowrap(f"{self.first_target(signal)} / {self.second_target(signal)}")

    @admin.display(description="take profit 1")
    def first_target(self, signal: Signal) -> str:
        return shown(signal.instrument, signal.take_profit_1)

    @admin.display(description="take profit 2")
    def second_target(self, signal: Signal) -> str:
        return shown(signal.instrument, signal.take_profit_2)

    @admin.display(description="zone")
    def zone(self, signal: Signal) -> str:
        """The zone that the trade leans on, bottom first."""
        bottom = shown(signal.instrument, signal.zone_bottom)
        return f"{bottom} - {shown(signal.instrument, signal.zone_top)}"

    @admin.display(description="R:R", ordering="risk_reward_ratio")
    def ratio(self, signal: Signal) -> str:
        return f"1:{signal.risk_reward_ratio.normalize():f}"

    @admin.display(description="confidence", ordering="confidence_score")
    def confidence(self, signal: Signal) -> str:
        return f"{signal.confidence_score:.1f}"

    @admin.display(description="probability")
    def probability_measured(self, signal: Signal) -> str:
        """How often events like the one it leans on held, in words."""
        return str(signal.measured or "not measured")

    @admin.display(description="confluence factors")
    def reasons(self, signal: Signal) -> SafeString:
        lines = format_html_join("", "<li>{}</li>", ((each,) for each in signal.confluence_factors))
        return format_html('<ul class="list-disc pl-4">{}</ul>', lines)

    @admin.display(description="entry tick (UTC)")
    def entered_at(self, signal: Signal) -> SafeString | str:
        return moment(signal.entry_time)
