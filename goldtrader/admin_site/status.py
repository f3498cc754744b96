"""The admin's first page: how the parts are, what runs, and what came last."""

from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone
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


def status(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
    """Add to the first page how the parts are, what runs, and what came last."""
    now = health.recent()
    context["components"] = [
        (name, label(state, _COLOURS[state])) for name, state in now.components.items()
    ]
    context["figures"] = _figures()
    context["connectors"] = {
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
    running = Trade.objects.open().select_related("signal").order_by("-trade_id")
    context["running"] = {
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
    context["latest"] = {
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
    return context


def _figures() -> list[tuple[str, Any]]:
    today = PerformanceMetric.objects.filter(
        period=Period.DAY, date__gte=timezone.now().date()
    ).aggregate(signals=Sum("total_signals", default=0), profit=Sum("total_profit_loss"))
    failed = Message.objects.filter(status=Message.Status.FAILED).count()
    return [
        ("Running trades", Trade.objects.open().count()),
        ("Signals today", today["signals"]),
        ("Profit today", money(today["profit"] or _NOTHING)),
        ("Last decision", _last_decision()),
        ("Closes to decide", drain.undecided()),
        ("Tasks waiting", _tasks()),
        ("Messages to send", outbox.unsent()),
        ("Messages failed", label(str(failed), BAD) if failed else 0),
    ]


def _last_decision() -> str:
    decided = Decision.objects.exclude(decided_at=None).order_by("-pk").first()
    return "none yet" if decided is None else since(decided.decided_at)


def _tasks() -> int | str:
    try:
        return sum(queues.lengths().values())
    except RedisError:
        return "Redis does not answer"
