"""Instruments: what is traded, and where its messages go."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from signals_app.admin.base import ModelAdmin
from signals_app.models import Instrument, Signal

#: Pips and money of recorded trades follow from these: changed, they would contradict them.
_FIXED = ("pip", "digits", "contract_size", "quote_currency", "signal_prefix")


@admin.register(Instrument)
class InstrumentAdmin(ModelAdmin):
    """A new instrument is a new row here."""

    list_display = (
        "symbol",
        "is_active",
        "telegram_channel",
        "pip",
        "contract_size",
        "digits",
        "signal_prefix",
        "default_spread",
        "starting_balance",
        "quote_currency",
    )
    ordering = ("symbol",)
    fieldsets = (
        (None, {"fields": (("symbol", "is_active"), ("telegram_channel", "signal_prefix"))}),
        (
            "Prices",
            {"fields": (("pip", "digits"), ("default_spread", "quote_currency"))},
        ),
        (
            "Size",
            {
                "fields": (
                    ("contract_size", "starting_balance"),
                    "lot_step",
                    ("minimum_lot", "maximum_lot"),
                )
            },
        ),
        (
            "Costs",
            {
                "fields": (
                    ("swap_long_points", "swap_short_points"),
                    ("triple_swap_day", "maximum_spread_pips"),
                )
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """The symbol once it is there, and what its signals were computed with once it has any."""
        if obj is None:
            return ()
        has_signals = Signal.objects.filter(instrument=obj.symbol).exists()
        return ("symbol", *_FIXED) if has_signals else ("symbol",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """An instrument is switched off, not removed."""
        return False
