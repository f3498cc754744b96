"""The pipeline: decisions and their reasons, how far ticks are used, candles, analyses."""

import json
from collections import Counter
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from redis.exceptions import RedisError

from signals_app.admin.base import ReadOnlyAdmin
from signals_app.admin.display import (
    BAD,
    BUSY,
    GOOD,
    close_time,
    labelled,
    moment,
    shown,
    since,
)
from signals_app.admin.filters import InstrumentFilter, TimeframeFilter
from signals_app.confluence.refusals import LiveReason, RefusalReason
from signals_app.models import Analysis, Decision, PriceCandle, StreamPosition
from signals_app.pipeline import stream
from signals_app.services.probabilities import with_probabilities

_OUTCOMES = {
    Decision.Outcome.PENDING: "waiting",
    Decision.Outcome.OPENING: "signal, opening",
    Decision.Outcome.SIGNAL: "signal",
    Decision.Outcome.BELOW: "below threshold",
    Decision.Outcome.REFUSED: "refused",
}


class ReasonFilter(admin.SimpleListFilter):
    """Narrows the list to closes without a signal for one reason."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """The reasons, each with how many closes it refused."""
        found: Counter[str] = Counter()
        for (_, reason), number in Decision.objects.refusals().items():
            found[reason] += number
        reasons = [*RefusalReason, *LiveReason]
        return [
            (reason, f"{reason.replace('_', ' ').lower()} ({found[reason]:,})")
            for reason in reasons
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        return queryset.filter(reason__iexact=self.value()) if self.value() else queryset


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """Every M15 close: what it scored, and why it made no signal."""

    list_display = (
        "closed_at",
        "instrument",
        "result",
        "best_direction",
        "points",
        "why",
        "text",
        "strategy",
        "decided",
    )
    list_select_related = ("strategy",)
    list_filter = ("outcome", InstrumentFilter, ReasonFilter)
    ordering = ("-pk",)
    sortable_by = ("points",)
    fieldsets = (
        (None, {"fields": (("instrument", "closed_at"), "result", ("best_direction", "points"))}),
        ("Why", {"fields": ("why", "text", "strategy")}),
        (
            "Windows",
            {"fields": (("h1_closed_at", "h4_closed_at"),)},
        ),
        (
            "Entry tick",
            {"fields": (("entry_ordinal", "entered_at"), ("quote", "decided"), "exchanged_at")},
        ),
    )

    @admin.display(description="candle close (UTC)")
    def closed_at(self, decision: Decision) -> SafeString | str:
        return close_time(decision.close_time_ms)

    @labelled(
        "outcome",
        {
            _OUTCOMES[Decision.Outcome.PENDING]: BUSY,
            _OUTCOMES[Decision.Outcome.OPENING]: BUSY,
            _OUTCOMES[Decision.Outcome.SIGNAL]: GOOD,
            _OUTCOMES[Decision.Outcome.BELOW]: "",
            _OUTCOMES[Decision.Outcome.REFUSED]: BAD,
        },
    )
    def result(self, decision: Decision) -> str:
        return _OUTCOMES[Decision.Outcome(decision.outcome)]

    @admin.display(description="best direction")
    def best_direction(self, decision: Decision) -> str:
        return decision.direction or "-"

    @admin.display(description="score", ordering="score")
    def points(self, decision: Decision) -> str:
        return "-" if decision.score is None else f"{decision.score:.1f}"

    @admin.display(description="reason")
    def why(self, decision: Decision) -> str:
        """Why there is no signal, or what the close still waits for."""
        if decision.outcome == Decision.Outcome.PENDING:
            if decision.score is None:
                return "waits for analysis"
            if decision.entry_ordinal is None:
                return "waits for its entry tick"
            return "waits for closes before it, or for the day's rate"
        return decision.reason.replace("_", " ").lower() or "-"

    @admin.display(description="decided")
    def decided(self, decision: Decision) -> SafeString | str:
        return moment(decision.decided_at)

    @admin.display(description="H1 window ends (UTC)")
    def h1_closed_at(self, decision: Decision) -> SafeString | str:
        return close_time(decision.h1_close_ms)

    @admin.display(description="H4 window ends (UTC)")
    def h4_closed_at(self, decision: Decision) -> SafeString | str:
        return close_time(decision.h4_close_ms)

    @admin.display(description="time (UTC)")
    def entered_at(self, decision: Decision) -> SafeString | str:
        return moment(decision.entry_time_ms)

    @admin.display(description="rate of its currency")
    def exchanged_at(self, decision: Decision) -> str:
        """The day's price of the pair that its money is exchanged at."""
        return "-" if decision.rate is None else f"{decision.rate:,f}"

    @admin.display(description="bid / ask")
    def quote(self, decision: Decision) -> str:
        bid = shown(decision.instrument, decision.entry_bid)
        return f"{bid} / {shown(decision.instrument, decision.entry_ask)}"


@admin.register(StreamPosition)
class StreamPositionAdmin(ReadOnlyAdmin):
    """How far each symbol's ticks are used, and how many wait."""

    list_display = ("instrument", "used", "unused", "last_tick", "bid_ask", "watermark", "moved")
    ordering = ("instrument",)
    fieldsets = (
        (None, {"fields": ("instrument", ("used", "unused"), ("last_tick", "bid_ask"))}),
        ("Stream", {"fields": (("watermark", "first_tick"), "entry_id", "seqs", "moved")}),
        ("Candles", {"fields": ("forming", "closed")}),
    )

    @admin.display(description="ticks used", ordering="ordinal")
    def used(self, position: StreamPosition) -> str:
        return f"{position.ordinal:,}"

    @admin.display(description="ticks waiting")
    def unused(self, position: StreamPosition) -> str:
        """How many ticks in Redis the pipeline has not used yet."""
        try:
            newest = int(stream.last_entry_id(position.instrument).partition("-")[0])
        except RedisError:
            return "Redis does not answer"
        return f"{max(newest - position.ordinal, 0):,}"

    @admin.display(description="last tick (UTC)", ordering="time_ms")
    def last_tick(self, position: StreamPosition) -> SafeString | str:
        return moment(position.time_ms)

    @admin.display(description="first tick (UTC)")
    def first_tick(self, position: StreamPosition) -> SafeString | str:
        return moment(position.first_time_ms)

    @admin.display(description="bid / ask")
    def bid_ask(self, position: StreamPosition) -> str:
        symbol = position.instrument
        return f"{shown(symbol, position.bid)} / {shown(symbol, position.ask)}"

    @admin.display(description="watermark (UTC)")
    def watermark(self, position: StreamPosition) -> SafeString | str:
        """The time until which no tick is still to come."""
        return moment(position.watermark_ms)

    @admin.display(description="moved", ordering="updated_at")
    def moved(self, position: StreamPosition) -> str:
        return since(position.updated_at)


@admin.register(PriceCandle)
class PriceCandleAdmin(ReadOnlyAdmin):
    """Closed candles, newest first."""

    list_display = (
        "opened_at",
        "instrument",
        "timeframe",
        "first",
        "highest",
        "lowest",
        "last",
        "ticks",
        "made_of",
    )
    list_filter = (InstrumentFilter, TimeframeFilter, "source")
    ordering = ("-timestamp",)
    sortable_by = ()

    @admin.display(description="opens (UTC)")
    def opened_at(self, candle: PriceCandle) -> SafeString | str:
        return close_time(candle.timestamp)

    @admin.display(description="open")
    def first(self, candle: PriceCandle) -> str:
        return shown(candle.instrument, candle.open)

    @admin.display(description="high")
    def highest(self, candle: PriceCandle) -> str:
        return shown(candle.instrument, candle.high)

    @admin.display(description="low")
    def lowest(self, candle: PriceCandle) -> str:
        return shown(candle.instrument, candle.low)

    @admin.display(description="close")
    def last(self, candle: PriceCandle) -> str:
        return shown(candle.instrument, candle.close)

    @admin.display(description="ticks")
    def ticks(self, candle: PriceCandle) -> str:
        return f"{candle.volume:,}"

    @labelled("made of", {"ticks": GOOD, "history": ""})
    def made_of(self, candle: PriceCandle) -> str:
        return candle.source.lower()


@admin.register(Analysis)
class AnalysisAdmin(ReadOnlyAdmin):
    """What the detectors found at each close."""

    list_display = ("closed_at", "instrument", "timeframe", "candles", "created_at")
    list_filter = (InstrumentFilter, TimeframeFilter)
    ordering = ("-pk",)
    sortable_by = ()
    fieldsets = (
        (None, {"fields": (("instrument", "timeframe"), ("closed_at", "created_at"), "candles")}),
        ("What the detectors found", {"fields": ("findings",)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """The analyses; the list leaves out what they found, which is long."""
        rows = super().get_queryset(request)
        resolved = request.resolver_match
        is_list = resolved is not None and str(resolved.url_name).endswith("changelist")
        return rows.defer("view") if is_list else rows

    @admin.display(description="candle close (UTC)")
    def closed_at(self, analysis: Analysis) -> SafeString | str:
        return close_time(analysis.close_time_ms)

    @admin.display(description="views")
    def findings(self, analysis: Analysis) -> SafeString:
        """What was found, with its measured probabilities, as JSON."""
        return format_html(
            '<pre class="max-h-96 overflow-auto text-xs">{}</pre>',
            json.dumps(with_probabilities(analysis), indent=2),
        )
