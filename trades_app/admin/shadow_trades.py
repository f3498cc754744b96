"""Trades that strategies in shadow would have made."""

from django.contrib import admin
from django.utils.safestring import SafeString

from signals_app.admin.base import ReadOnlyAdmin
from signals_app.admin.display import BAD, GOOD, close_time, labelled, moment, money, shown
from signals_app.admin.filters import InstrumentFilter
from signals_app.market.direction import Direction
from trades_app.admin.trades import STATUS_COLOURS
from trades_app.models import ShadowTrade


@admin.register(ShadowTrade)
class ShadowTradeAdmin(ReadOnlyAdmin):
    list_display = (
        "strategy",
        "of_signal",
        "direction_label",
        "state",
        "profit",
        "r_multiple",
        "decided_at",
        "entry",
        "left_at",
        "failure",
    )
    list_filter = (InstrumentFilter, ("strategy", admin.RelatedOnlyFieldListFilter), "is_open")
    ordering = ("-close_time", "-pk")
    list_select_related = ("strategy",)

    @admin.display(description="signal")
    def of_signal(self, trade: ShadowTrade) -> str:
        """The id, which ends with the strategy's number."""
        return str(trade.signal["signal_id"])

    @labelled("direction", {Direction.BUY: GOOD, Direction.SELL: BAD})
    def direction_label(self, trade: ShadowTrade) -> str:
        return str(trade.signal["direction"])

    @labelled("status", STATUS_COLOURS)
    def state(self, trade: ShadowTrade) -> str:
        return str(trade.trade.get("status", "-"))

    @admin.display(description="profit", ordering="profit_loss")
    def profit(self, trade: ShadowTrade) -> SafeString | str:
        return money(trade.profit_loss)

    @admin.display(description="candle close (UTC)", ordering="close_time")
    def decided_at(self, trade: ShadowTrade) -> SafeString | str:
        return close_time(trade.close_time)

    @admin.display(description="entry")
    def entry(self, trade: ShadowTrade) -> str:
        return shown(trade.instrument, trade.signal["entry_price"])

    @admin.display(description="exit (UTC)", ordering="exit_time")
    def left_at(self, trade: ShadowTrade) -> SafeString | str:
        return moment(trade.exit_time)
