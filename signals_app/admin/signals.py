"""Signals: what was said, why, and what came of it."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from signals_app.admin.base import (
    BAD,
    GOOD,
    NEUTRAL,
    DirectionFilter,
    InstrumentFilter,
    ReadOnlyAdmin,
    close_time,
    labelled,
    moment,
    nowrap,
    shown,
)
from signals_app.models import Signal


@admin.register(Signal)
class SignalAdmin(ReadOnlyAdmin):
    """The record of signals, newest first."""

    list_display = (
        "signal_id",
        "way",
        "state",
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
        (None, {"fields": (("signal_id", "state", "way"), ("closed_at", "session", "strategy"))}),
        (
            "Levels",
            {"fields": (("entry", "stop"), ("first_target", "second_target"), ("zone", "ratio"))},
        ),
        ("Size", {"fields": (("position_size", "risk_percentage"),)}),
        (
            "Why",
            {
                "fields": (
                    ("confidence", "setup_type", "market_structure"),
                    ("probability_measured", "probability_of"),
                    "reasons",
                    "h4_context",
                    "h1_context",
                    "m15_context",
                )
            },
        ),
        ("Traceability", {"fields": (("entry_ordinal", "entered_at", "created_at"),)}),
    )

    def get_queryset(self, request: HttpRequest):  # type: ignore[no-untyped-def]
        """Return the signals with their strategy."""
        return super().get_queryset(request).select_related("strategy")

    @labelled("direction", {"BUY": GOOD, "SELL": BAD}, "direction")
    def way(self, signal: Signal) -> str:
        """Return the direction."""
        return signal.direction

    @labelled("status", {"ACTIVE": NEUTRAL, "CLOSED": ""}, "status")
    def state(self, signal: Signal) -> str:
        """Return whether its trade still runs."""
        return signal.status

    @admin.display(description="candle close (UTC)", ordering="timestamp")
    def closed_at(self, signal: Signal) -> SafeString | str:
        """Return the close of the candle that it was made on."""
        return close_time(signal.timestamp)

    @admin.display(description="entry")
    def entry(self, signal: Signal) -> str:
        """Return the price it is entered at."""
        return shown(signal.instrument, signal.entry_price)

    @admin.display(description="stop loss")
    def stop(self, signal: Signal) -> str:
        """Return the stop."""
        return shown(signal.instrument, signal.stop_loss)

    @admin.display(description="take profit 1 / 2")
    def targets(self, signal: Signal) -> SafeString:
        """Return both targets."""
        return nowrap(f"{self.first_target(signal)} / {self.second_target(signal)}")

    @admin.display(description="take profit 1")
    def first_target(self, signal: Signal) -> str:
        """Return where half is closed."""
        return shown(signal.instrument, signal.take_profit_1)

    @admin.display(description="take profit 2")
    def second_target(self, signal: Signal) -> str:
        """Return where the rest is closed."""
        return shown(signal.instrument, signal.take_profit_2)

    @admin.display(description="zone")
    def zone(self, signal: Signal) -> str:
        """Return the zone that the trade leans on."""
        bottom = shown(signal.instrument, signal.zone_bottom)
        return f"{bottom} - {shown(signal.instrument, signal.zone_top)}"

    @admin.display(description="R:R", ordering="risk_reward_ratio")
    def ratio(self, signal: Signal) -> str:
        """Return reward for risk."""
        return f"1:{signal.risk_reward_ratio.normalize():f}"

    @admin.display(description="confidence", ordering="confidence_score")
    def confidence(self, signal: Signal) -> str:
        """Return the score of 100."""
        return f"{signal.confidence_score:.1f}"

    @admin.display(description="probability")
    def probability_measured(self, signal: Signal) -> str:
        """Return what history says of the event that it leans on."""
        return str(signal.measured or "not measured")

    @admin.display(description="confluence factors")
    def reasons(self, signal: Signal) -> SafeString:
        """Return the reasons, one below the other."""
        lines = format_html_join("", "<li>{}</li>", ((each,) for each in signal.confluence_factors))
        return format_html('<ul class="list-disc pl-4">{}</ul>', lines)

    @admin.display(description="entry tick (UTC)")
    def entered_at(self, signal: Signal) -> SafeString | str:
        """Return the time of the entry tick."""
        return moment(signal.entry_time_ms)
