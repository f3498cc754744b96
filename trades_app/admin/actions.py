"""What an operator does to trades from the pages of signals and strategies.

Signals know nothing of trades, so these actions are added to their pages from here.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest

from signals_app.admin.base import ModelAdmin
from signals_app.models import Signal, Strategy
from signals_app.services.strategies import NotPossible
from trades_app.lifecycle.transitions import InvalidTransition
from trades_app.shadow import following
from trades_app.tasks import go_on
from trades_app.trading.opening import cancel_trade


@admin.action(
    description="Cancel the trade, which waits for its ticks", permissions=("cancel_trade",)
)
def cancel_waiting_trade(
    signal_admin: ModelAdmin, request: HttpRequest, chosen: "models.QuerySet[Signal]"
) -> None:
    """Cancel the trade of each chosen signal before it opens, or say why that is not possible."""
    for signal in chosen.order_by("timestamp"):
        try:
            cancel_trade(signal.signal_id)
        except InvalidTransition as refusal:
            signal_admin.message_user(request, str(refusal), messages.ERROR)
            continue
        text = f"The trade of {signal.signal_id} was cancelled before it opened."
        signal_admin.message_user(request, text, messages.SUCCESS)
        transaction.on_commit(partial(go_on, signal.instrument))


@admin.action(description="Run in shadow, beside the live one", permissions=("change",))
def begin_shadow(
    strategy_admin: ModelAdmin, request: HttpRequest, chosen: "models.QuerySet[Strategy]"
) -> None:
    """Let each chosen version run in shadow, or say why that is not possible."""
    text = "{} runs in shadow from the next close on."
    _for_each(strategy_admin, request, chosen, following.begin, text)


@admin.action(description="Retire from shadow", permissions=("change",))
def retire_shadow(
    strategy_admin: ModelAdmin, request: HttpRequest, chosen: "models.QuerySet[Strategy]"
) -> None:
    """Let each chosen version follow no more closes, or say why that is not possible."""
    text = "{} is retired; its open trades run on."
    _for_each(strategy_admin, request, chosen, following.retire, text)


def _for_each(
    strategy_admin: ModelAdmin,
    request: HttpRequest,
    chosen: "models.QuerySet[Strategy]",
    change: Callable[[int], Strategy],
    text: str,
) -> None:
    for strategy_id in chosen.order_by("pk").values_list("pk", flat=True):
        try:
            changed = change(strategy_id)
        except NotPossible as refusal:
            strategy_admin.message_user(request, str(refusal), messages.ERROR)
            continue
        strategy_admin.message_user(request, text.format(changed), messages.SUCCESS)


def _may_cancel(request: HttpRequest) -> bool:
    return request.user.has_perm("trades_app.change_trade")


_signals: Any = admin.site.get_model_admin(Signal)
_signals.has_cancel_trade_permission = _may_cancel
_signals.actions = [*(_signals.actions or ()), cancel_waiting_trade]
_strategies: Any = admin.site.get_model_admin(Strategy)
_strategies.actions = [*(_strategies.actions or ()), begin_shadow, retire_shadow]
