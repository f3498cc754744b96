"""The admin's first page: how the parts are, what runs, and what came last."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from redis.exceptions import RedisError

from goldtrader.operations import drain, health, queues
from reports_app.models import PerformanceMetric
from reports_app.performance.statistics import Period
from signals_app.admin.display import (
    BAD,
    BUSY,
    GOOD,
    close_time,
    label,
    link_to,
    money,
    shown,
    simulated_badge,
    since,
)
from signals_app.models import Connector, Decision, Signal
from trades_app.models import Message, Trade
from trades_app.notifications import outbox

_NEWEST = 8
_NOTHING = Decimal("0.00")
_COLOURS = {health.State.OK: GOOD, health.State.DEGRADED: BUSY, health.State.DOWN: BAD}


def status(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the first page how the parts are, and of the rest what the user may see."""
    now = health.recent()
    context["components"] = [
        (name, label(state, _COLOURS[state])) for name, state in now.components.items()
    ]
    context["figures"] = [
        (name, figure()) for name, right, figure in _FIGURES if request.user.has_perm(right)
    ]
    context["tables"] = [table() for right, table in _TABLES if request.user.has_perm(right)]
    return context


def _connectors() -> dict[str, Any]:
    return {
        "title": "Connectors",
        "headers": ("Connector", "Ticks", "Last heard", "Roles"),
        "rows": [
            (
                link_to(connector),
                simulated_badge(connector.is_simulated) or "real",
                "revoked" if connector.is_revoked else since(connector.last_seen),
                ", ".join(f"{symbol} {role}" for symbol, role in sorted(connector.roles.items())),
            )
            for connector in Connector.objects.order_by("name")[:_NEWEST]
        ],
    }


def _running_trades() -> dict[str, Any]:
    running = Trade.objects.open().select_related("signal").order_by("-trade_id")
    return {
        "title": "Running trades",
        "headers": ("Trade", "Direction", "Status", "Lots", "Entry", "Stop", "Profit so far"),
        "rows": [
            (
                link_to(trade, trade.signal_id),
                trade.direction,
                trade.status,
                trade.remaining_lots,
                shown(trade.instrument, trade.entry_price),
                shown(trade.instrument, trade.stop_loss),
                money(trade.profit_loss),
            )
            for trade in running[:_NEWEST]
        ],
    }


def _latest_signals() -> dict[str, Any]:
    return {
        "title": "Latest signals",
        "headers": ("Signal", "Direction", "Candle close (UTC)", "Entry", "Confidence", "Setup"),
        "rows": [
            (
                link_to(signal),
                signal.direction,
                close_time(signal.timestamp),
                shown(signal.instrument, signal.entry_price),
                f"{signal.confidence_score:.1f}",
                signal.setup_type,
            )
            for signal in Signal.objects.order_by("-timestamp", "-signal_id")[:_NEWEST]
        ],
    }


def _today(column: str) -> Any:
    days = PerformanceMetric.objects.filter(period=Period.DAY, date__gte=timezone.now().date())
    return days.aggregate(sum=Sum(column, default=0))["sum"]


def _failed_messages() -> SafeString | int:
    failed = Message.objects.filter(status=Message.Status.FAILED).count()
    return label(str(failed), BAD) if failed else 0


def _last_decision() -> str:
    decided = Decision.objects.exclude(decided_at=None).order_by("-pk").first()
    return "none yet" if decided is None else since(decided.decided_at)


def _tasks() -> int | str:
    try:
        return sum(queues.lengths().values())
    except RedisError:
        return "Redis does not answer"


#: Each figure of the first page: what it is called, who may see it, and what it is.
_FIGURES: tuple[tuple[str, str, Callable[[], Any]], ...] = (
    ("Running trades", "trades_app.view_trade", lambda: Trade.objects.open().count()),
    ("Signals today", "signals_app.view_signal", lambda: _today("total_signals")),
    (
        "Profit today",
        "reports_app.view_performancemetric",
        lambda: money(_today("total_profit_loss") or _NOTHING),
    ),
    ("Last decision", "signals_app.view_decision", _last_decision),
    ("Closes to decide", "signals_app.view_decision", drain.undecided),
    ("Tasks waiting", "signals_app.view_streamposition", _tasks),
    ("Messages to send", "trades_app.view_message", outbox.unsent),
    ("Messages failed", "trades_app.view_message", _failed_messages),
)
#: Each table of the first page, and who may see it.
_TABLES: tuple[tuple[str, Callable[[], dict[str, Any]]], ...] = (
    ("signals_app.view_connector", _connectors),
    ("trades_app.view_trade", _running_trades),
    ("signals_app.view_signal", _latest_signals),
)
