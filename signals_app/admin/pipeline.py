"""The pipeline: why there was no signal, how far the ticks are used, candles and analyses."""

import json
from collections import Counter
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from redis.exceptions import RedisError

from signals_app.admin.base import (
    BAD,
    BUSY,
    GOOD,
    InstrumentFilter,
    ReadOnlyAdmin,
    SymbolFilter,
    close_time,
    labelled,
    moment,
    shown,
    since,
)
from signals_app.confluence.refusals import RefusalReason
from signals_app.market.candle import TIMEFRAMES
from signals_app.models import Analysis, Decision, PriceCandle, StreamPosition
from signals_app.pipeline import stream
from signals_app.pipeline.decisions import INSTRUMENT_OFF
from signals_app.services.probabilities import with_probabilities


class TimeframeFilter(admin.SimpleListFilter):
    """Narrows a list to one timeframe."""

    title = "timeframe"
    parameter_name = "timeframe"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Return the timeframes of the pipeline."""
        return [(str(each), str(each)) for each in TIMEFRAMES]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        """Return the rows of the chosen timeframe."""
        return queryset.filter(timeframe=self.value()) if self.value() else queryset


class ReasonFilter(admin.SimpleListFilter):
    """Narrows the ledger to one reason for no signal."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Return the reasons, each with how many closes it refused."""
        found: Counter[str] = Counter()
        for (_, reason), number in Decision.objects.refusals().items():
            found[reason] += number
        reasons = [*RefusalReason, INSTRUMENT_OFF]
        return [
            (reason, f"{reason.replace('_', ' ').lower()} ({found[reason]:,})")
            for reason in reasons
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        """Return the closes refused for the chosen reason."""
        return queryset.filter(reason__iexact=self.value()) if self.value() else queryset


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """The ledger of M15 closes: what each scored, and why it made no signal."""

    list_display = (
        "closed_at",
        "symbol",
        "result",
        "way",
        "points",
        "why",
        "text",
        "strategy",
        "decided",
    )
    list_select_related = ("strategy",)
    list_filter = ("outcome", SymbolFilter, ReasonFilter)
    ordering = ("-pk",)
    sortable_by = ("points",)
    fieldsets = (
        (None, {"fields": (("symbol", "closed_at", "result"), ("way", "points"))}),
        ("Why", {"fields": ("why", "text", "strategy")}),
        (
            "Windows",
            {"fields": (("h1_closed_at", "h4_closed_at"),)},
        ),
        ("Entry tick", {"fields": (("entry_ordinal", "entered_at"), ("quote", "decided"))}),
    )

    @admin.display(description="candle close (UTC)")
    def closed_at(self, decision: Decision) -> SafeString | str:
        """Return the close that was decided."""
        return close_time(decision.close_time_ms)

    @labelled(
        "outcome",
        {
            "waiting": BUSY,
            "signal, opening": BUSY,
            "signal": GOOD,
            "below threshold": "",
            "refused": BAD,
        },
    )
    def result(self, decision: Decision) -> str:
        """Return what came of it."""
        return {
            "PENDING": "waiting",
            "OPENING": "signal, opening",
            "SIGNAL": "signal",
            "BELOW": "below threshold",
            "REFUSED": "refused",
        }.get(decision.outcome, decision.outcome)

    @admin.display(description="best direction")
    def way(self, decision: Decision) -> str:
        """Return the direction that scored more."""
        return decision.direction or "-"

    @admin.display(description="score", ordering="score")
    def points(self, decision: Decision) -> str:
        """Return the score of 100."""
        return "-" if decision.score is None else f"{decision.score:.1f}"

    @admin.display(description="reason")
    def why(self, decision: Decision) -> str:
        """Return why there is no signal, or what it still waits for."""
        if decision.outcome == Decision.Outcome.PENDING:
            return (
                "waits for its entry tick" if decision.score is not None else "waits for analysis"
            )
        return decision.reason.replace("_", " ").lower() or "-"

    @admin.display(description="decided")
    def decided(self, decision: Decision) -> SafeString | str:
        """Return when it was decided."""
        return moment(decision.decided_at)

    @admin.display(description="H1 window ends (UTC)")
    def h1_closed_at(self, decision: Decision) -> SafeString | str:
        """Return the end of its last H1 candle."""
        return close_time(decision.h1_close_ms)

    @admin.display(description="H4 window ends (UTC)")
    def h4_closed_at(self, decision: Decision) -> SafeString | str:
        """Return the end of its last H4 candle."""
        return close_time(decision.h4_close_ms)

    @admin.display(description="time (UTC)")
    def entered_at(self, decision: Decision) -> SafeString | str:
        """Return the time of the entry tick."""
        return moment(decision.entry_time_ms)

    @admin.display(description="bid / ask")
    def quote(self, decision: Decision) -> str:
        """Return the entry tick's quote."""
        bid = shown(decision.symbol, decision.entry_bid)
        return f"{bid} / {shown(decision.symbol, decision.entry_ask)}"


@admin.register(StreamPosition)
class StreamPositionAdmin(ReadOnlyAdmin):
    """How far each symbol's ticks are used, and how many wait."""

    list_display = ("symbol", "used", "unused", "last_tick", "bid_ask", "watermark", "moved")
    ordering = ("symbol",)
    fieldsets = (
        (None, {"fields": (("symbol", "used", "unused"), ("last_tick", "bid_ask"))}),
        ("Stream", {"fields": (("entry_id", "watermark", "first_tick"), "seqs", "moved")}),
        ("Candles", {"fields": ("forming", "closed")}),
    )

    @admin.display(description="ticks used", ordering="ordinal")
    def used(self, position: StreamPosition) -> str:
        """Return the ticks used so far."""
        return f"{position.ordinal:,}"

    @admin.display(description="ticks waiting")
    def unused(self, position: StreamPosition) -> str:
        """Return the ticks in Redis that are not used yet."""
        try:
            newest = int(stream.last_entry_id(position.symbol).partition("-")[0])
        except RedisError:
            return "Redis does not answer"
        return f"{max(newest - position.ordinal, 0):,}"

    @admin.display(description="last tick (UTC)", ordering="time_ms")
    def last_tick(self, position: StreamPosition) -> SafeString | str:
        """Return the time of the last tick used."""
        return moment(position.time_ms)

    @admin.display(description="first tick (UTC)")
    def first_tick(self, position: StreamPosition) -> SafeString | str:
        """Return the time of the first tick ever."""
        return moment(position.first_time_ms)

    @admin.display(description="bid / ask")
    def bid_ask(self, position: StreamPosition) -> str:
        """Return the last quote."""
        return f"{shown(position.symbol, position.bid)} / {shown(position.symbol, position.ask)}"

    @admin.display(description="watermark (UTC)")
    def watermark(self, position: StreamPosition) -> SafeString | str:
        """Return until when no tick is still to come."""
        return moment(position.watermark_ms)

    @admin.display(description="moved", ordering="updated_at")
    def moved(self, position: StreamPosition) -> str:
        """Return when ticks were last used."""
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
        """Return the opening time."""
        return close_time(candle.timestamp)

    @admin.display(description="open")
    def first(self, candle: PriceCandle) -> str:
        """Return the opening price."""
        return shown(candle.instrument, candle.open)

    @admin.display(description="high")
    def highest(self, candle: PriceCandle) -> str:
        """Return the highest price."""
        return shown(candle.instrument, candle.high)

    @admin.display(description="low")
    def lowest(self, candle: PriceCandle) -> str:
        """Return the lowest price."""
        return shown(candle.instrument, candle.low)

    @admin.display(description="close")
    def last(self, candle: PriceCandle) -> str:
        """Return the closing price."""
        return shown(candle.instrument, candle.close)

    @admin.display(description="ticks")
    def ticks(self, candle: PriceCandle) -> str:
        """Return its volume."""
        return f"{candle.volume:,}"

    @labelled("made of", {"ticks": GOOD, "history": ""})
    def made_of(self, candle: PriceCandle) -> str:
        """Return its source."""
        return candle.source.lower()


@admin.register(Analysis)
class AnalysisAdmin(ReadOnlyAdmin):
    """What the detectors said at each close."""

    list_display = ("closed_at", "symbol", "timeframe", "candles", "created_at")
    list_filter = (SymbolFilter, TimeframeFilter)
    ordering = ("-pk",)
    sortable_by = ()
    fieldsets = (
        (None, {"fields": (("symbol", "timeframe", "closed_at"), ("candles", "created_at"))}),
        ("What the detectors found", {"fields": ("findings",)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the analyses; the list does without what they found."""
        rows = super().get_queryset(request)
        resolved = request.resolver_match
        is_list = resolved is not None and str(resolved.url_name).endswith("changelist")
        return rows.defer("view") if is_list else rows

    @admin.display(description="candle close (UTC)")
    def closed_at(self, analysis: Analysis) -> SafeString | str:
        """Return the end of the window."""
        return close_time(analysis.close_time_ms)

    @admin.display(description="views")
    def findings(self, analysis: Analysis) -> SafeString:
        """Return what was found and what that was worth, as JSON."""
        return format_html(
            '<pre class="max-h-96 overflow-auto text-xs">{}</pre>',
            json.dumps(with_probabilities(analysis), indent=2),
        )
