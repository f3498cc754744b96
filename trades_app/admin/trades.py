"""Trades with all that happened to them."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from signals_app.admin.base import ReadOnlyAdmin, ReadOnlyInline
from signals_app.admin.display import (
    BAD,
    BUSY,
    GOOD,
    NEUTRAL,
    labelled,
    link_to,
    moment,
    money,
    shown,
)
from signals_app.admin.filters import DirectionFilter, InstrumentFilter
from signals_app.market.direction import Direction
from trades_app.lifecycle.trade import EventKind, TradeStatus
from trades_app.lifecycle.transitions import InvalidTransition
from trades_app.models import Trade, TradeEvent
from trades_app.notifications.content.wording import duration
from trades_app.trading.closing import order_close

#: The statuses that a trade rests in, and how each is shown.
STATUS_COLOURS = {
    TradeStatus.MONITORING.value: NEUTRAL,
    TradeStatus.TP1_HIT.value: GOOD,
    TradeStatus.TRADE_CLOSED.value: "",
    TradeStatus.CANCELLED.value: BUSY,
}
#: What ended a trade, as people say it.
_ENDS = {
    EventKind.SL_HIT.value: "stop loss",
    EventKind.TP2_HIT.value: "take profit 2",
    EventKind.EXPIRED.value: "expired",
    EventKind.CLOSED_MANUALLY.value: "by hand",
}


class OpenFilter(admin.SimpleListFilter):
    """Narrows trades to those that still run, or those that are over."""

    title = "running"
    parameter_name = "running"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("yes", "running"), ("no", "over")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        match self.value():
            case "yes":
                return queryset.open()
            case "no":
                return queryset.exclude(exit_time=None)
            case _:
                return queryset


class EventInline(ReadOnlyInline):
    """The trade's life, in order."""

    model = TradeEvent
    fields = ("number", "kind", "at", "filled", "lots", "earned", "pips", "stop", "ordinal", "late")
    readonly_fields = ("at", "filled", "earned", "stop", "late")
    ordering = ("number",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """The events with their trade, whose instrument they are shown in."""
        return super().get_queryset(request).select_related("trade")

    @admin.display(description="time (UTC)")
    def at(self, event: TradeEvent) -> SafeString | str:
        return moment(event.time)

    @admin.display(description="price")
    def filled(self, event: TradeEvent) -> str:
        return shown(event.trade.instrument, event.price)

    @admin.display(description="profit")
    def earned(self, event: TradeEvent) -> SafeString | str:
        return money(event.profit) if event.profit else "-"

    @admin.display(description="found late")
    def late(self, event: TradeEvent) -> str:
        """How long after its tick's time it was found, where the feed was cut off."""
        seconds = event.found_late_seconds
        return "-" if seconds is None else duration(seconds)

    @admin.display(description="stop from then on")
    def stop(self, event: TradeEvent) -> str:
        return shown(event.trade.instrument, event.stop_loss)


@admin.register(Trade)
class TradeAdmin(ReadOnlyAdmin):
    """Trades, newest first."""

    list_display = (
        "trade_id",
        "of_signal",
        "direction_label",
        "state",
        "reason",
        "profit",
        "pips",
        "multiple",
        "lots",
        "entered_at",
        "entry",
        "stop",
        "left_at",
        "exit",
    )
    list_filter = (OpenFilter, InstrumentFilter, DirectionFilter)
    search_fields = ("signal__signal_id",)
    search_help_text = "Signal id"
    date_hierarchy = "entry_time"
    ordering = ("-trade_id",)
    list_select_related = ("signal",)
    inlines = (EventInline,)
    actions: Any = ("close_by_hand",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("of_signal", "trade_id"),
                    ("instrument", "direction_label"),
                    ("state", "reason"),
                    ("profit", "pips"),
                    ("risk", "multiple"),
                    ("lots", "remaining_lots"),
                    ("entered_at", "entry"),
                    ("left_at", "exit"),
                    ("stop", "first_stop"),
                    ("first_target", "second_target"),
                    "expires",
                )
            },
        ),
    )

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Whoever may change trades may close them."""
        return request.user.has_perm("trades_app.change_trade")

    @admin.action(description="Close by hand, at the next tick", permissions=("close",))
    def close_by_hand(self, request: HttpRequest, chosen: "models.QuerySet[Trade]") -> None:
        """Order to close each chosen trade, or say why that is not possible."""
        for trade in chosen.order_by("trade_id"):
            try:
                order_close(trade.pk, timezone.now())
            except InvalidTransition as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
                continue
            self.log_change(request, trade, "Ordered to close at the next tick.")
            text = f"{trade.signal_id} closes at the next tick, whatever its price."
            self.message_user(request, text, messages.SUCCESS)

    @admin.display(description="signal", ordering="signal_id")
    def of_signal(self, trade: Trade) -> SafeString | str:
        return link_to(trade.signal, trade.signal_id)

    @labelled("direction", {Direction.BUY: GOOD, Direction.SELL: BAD}, "direction")
    def direction_label(self, trade: Trade) -> str:
        return trade.direction

    @labelled("status", STATUS_COLOURS, "status")
    def state(self, trade: Trade) -> str:
        return trade.status

    @admin.display(description="entry (UTC)", ordering="entry_time")
    def entered_at(self, trade: Trade) -> SafeString | str:
        return moment(trade.entry_time)

    @admin.display(description="exit (UTC)", ordering="exit_time")
    def left_at(self, trade: Trade) -> SafeString | str:
        return moment(trade.exit_time)

    @admin.display(description="entry")
    def entry(self, trade: Trade) -> str:
        return shown(trade.instrument, trade.entry_price)

    @admin.display(description="exit")
    def exit(self, trade: Trade) -> str:
        return shown(trade.instrument, trade.exit_price)

    @admin.display(description="stop loss")
    def stop(self, trade: Trade) -> str:
        return shown(trade.instrument, trade.stop_loss)

    @admin.display(description="first stop")
    def first_stop(self, trade: Trade) -> str:
        """The stop that the risk was measured to."""
        return shown(trade.instrument, trade.initial_stop_loss)

    @admin.display(description="take profit 1")
    def first_target(self, trade: Trade) -> str:
        return shown(trade.instrument, trade.take_profit_1)

    @admin.display(description="take profit 2")
    def second_target(self, trade: Trade) -> str:
        return shown(trade.instrument, trade.take_profit_2)

    @admin.display(description="risk at first stop")
    def risk(self, trade: Trade) -> str:
        return f"{trade.initial_risk:,.2f}"

    @admin.display(description="expires (UTC)")
    def expires(self, trade: Trade) -> SafeString | str:
        return moment(trade.expires_at)

    @admin.display(description="ended by")
    def reason(self, trade: Trade) -> str:
        """What ended it, or is about to."""
        if trade.is_open and trade.close_from is not None:
            return "by hand, at the next tick"
        return _ENDS.get(trade.exit_reason, trade.exit_reason) or "-"

    @admin.display(description="profit", ordering="profit_loss")
    def profit(self, trade: Trade) -> SafeString | str:
        return money(trade.profit_loss)

    @admin.display(description="pips", ordering="profit_loss_pips")
    def pips(self, trade: Trade) -> str:
        return f"{trade.profit_loss_pips:+z,.1f}"

    @admin.display(description="R")
    def multiple(self, trade: Trade) -> str:
        """What it earned in units of its risk."""
        multiple = trade.value().r_multiple
        return "-" if multiple is None else f"{multiple:+z.2f}"
