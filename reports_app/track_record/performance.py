"""The rows of performance_metrics, computed from the trades: at any time, with the same result."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from types import MappingProxyType

import structlog
from django.db import transaction
from django.db.models import Max, Q, Sum

from reports_app.models import PERFORMANCE_PERIODS, PerformanceMetric
from reports_app.performance import statistics
from reports_app.performance.statistics import Period, TradeResult
from signals_app.market import calendar
from signals_app.models import Signal
from trades_app.lifecycle.trade import EventKind
from trades_app.models import Trade, TradeEvent

log = structlog.get_logger(__name__)

#: The periods that have rows and reports.
PERIODS = PERFORMANCE_PERIODS

#: What a row is broken down by, and where the row keeps it.
GROUPS: Mapping[str, Callable[[TradeResult], str]] = MappingProxyType(
    {
        "by_session": lambda result: result.session,
        "by_setup": lambda result: result.setup_type,
        "by_direction": lambda result: result.direction,
    }
)
#: What is computed of each period, and of each of its groups.
FIGURES = (
    "total_signals",
    "closed_trades",
    "winning_trades",
    "losing_trades",
    "win_rate",
    "average_rr",
    "planned_risk_reward",
    "profit_factor",
    "total_pips",
    "total_profit_loss",
    "maximum_drawdown",
)
#: A transaction may be committed so long after the time that its rows bear.
_LATEST_COMMIT = dt.timedelta(minutes=10)


def recompute(*, since: dt.date | None = None, instrument: str | None = None) -> int:
    """Write every period that ends on ``since`` or later (all without it); return how many.

    What is there already is replaced, and what no trade supports any more is removed, in one
    transaction: this may run at any time, twice, and side by side.
    """
    with transaction.atomic():
        rows = list(_rows(results(since=_first_needed(since), instrument=instrument), since))
        PerformanceMetric.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=("instrument", "date", "period"),
            update_fields=(*FIGURES, *GROUPS, "calculated_at"),
            batch_size=500,
        )
        _remove_others(rows, since, instrument)
    return len(rows)


def recompute_recent() -> int:
    """Write the periods of signals and closes newer than the rows; return how many were written."""
    latest = PerformanceMetric.objects.aggregate(at=Max("calculated_at"))["at"]
    signals, closes = Signal.objects.all(), TradeEvent.objects.filter(kind=EventKind.CLOSED)
    if latest is not None:
        signals = signals.filter(created_at__gte=latest - _LATEST_COMMIT)
        closes = closes.filter(recorded_at__gte=latest - _LATEST_COMMIT)
    moments = [
        moment
        for moment in (
            signals.order_by("timestamp").values_list("timestamp", flat=True).first(),
            closes.order_by("time").values_list("time", flat=True).first(),
        )
        if moment is not None
    ]
    return recompute(since=min(moments).date()) if moments else 0


def is_complete() -> bool:
    """Whether the rows count every signal and every closed trade."""
    counted = PerformanceMetric.objects.filter(period=Period.DAY).aggregate(
        signals=Sum("total_signals", default=0), closed=Sum("closed_trades", default=0)
    )
    closed = Trade.objects.filter(exit_time__isnull=False).count()
    return counted == {"signals": Signal.objects.count(), "closed": closed}


def results(
    *,
    since: dt.date | None = None,
    before: dt.date | None = None,
    instrument: str | None = None,
) -> list[TradeResult]:
    """The results of signals made, or closed, from ``since`` until ``before`` (UTC days)."""
    signals = Signal.objects.select_related("trade")
    if instrument is not None:
        signals = signals.filter(instrument=instrument)
    if since is not None:
        start = calendar.midnight(since)
        signals = signals.filter(Q(timestamp__gte=start) | Q(trade__exit_time__gte=start))
    if before is not None:
        end = calendar.midnight(before)
        signals = signals.filter(Q(timestamp__lt=end) | Q(trade__exit_time__lt=end))
    return [_result(signal) for signal in signals.order_by("instrument", "timestamp", "signal_id")]


def _result(signal: Signal) -> TradeResult:
    row: Trade | None = getattr(signal, "trade", None)
    trade = None if row is None else row.value()
    return TradeResult(
        signal_id=signal.signal_id,
        instrument=signal.instrument,
        direction=signal.direction,
        session=signal.session,
        setup_type=signal.setup_type,
        signalled_ms=calendar.milliseconds(signal.timestamp),
        opened_ms=calendar.milliseconds(signal.entry_time)
        if trade is None
        else trade.entry_time_ms,
        closed_ms=None if trade is None else trade.exit_time_ms,
        profit_loss=statistics.NOTHING if trade is None else trade.profit_loss,
        profit_loss_pips=statistics.NOTHING if trade is None else trade.profit_loss_pips,
        r_multiple=None if trade is None else trade.r_multiple,
        risk_reward_ratio=float(signal.risk_reward_ratio),
    )


def _rows(found: Iterable[TradeResult], since: dt.date | None) -> Iterator[PerformanceMetric]:
    """A row for each period in which something happened; ``found`` is ordered by instrument."""
    for instrument, group in groupby(found, key=lambda result: result.instrument):
        mine = list(group)
        for period in PERIODS:
            first = dt.date.min if since is None else period.beginning(since)
            parts = {name: _parts(mine, period, key) for name, key in GROUPS.items()}
            for date, figures in statistics.by_period(mine, period).items():
                if date >= first:
                    yield PerformanceMetric(
                        instrument=instrument,
                        period=period.value,
                        date=date,
                        **{name: getattr(figures, name) for name in FIGURES},
                        **{name: part.get(date, {}) for name, part in parts.items()},
                    )


def _parts(
    found: Iterable[TradeResult], period: Period, key: Callable[[TradeResult], str]
) -> dict[dt.date, dict[str, dict[str, object]]]:
    """By the period's first day, then by group, the group's figures."""
    groups: dict[str, list[TradeResult]] = {}
    for result in found:
        groups.setdefault(key(result), []).append(result)
    parts: dict[dt.date, dict[str, dict[str, object]]] = {}
    for name in sorted(groups):
        for date, figures in statistics.by_period(groups[name], period).items():
            parts.setdefault(date, {})[name] = statistics.performance_as_json(figures)
    return parts


def _first_needed(since: dt.date | None) -> dt.date | None:
    """The first day of the earliest period that ``since`` belongs to."""
    return None if since is None else min(period.beginning(since) for period in PERIODS)


def _remove_others(
    rows: Iterable[PerformanceMetric], since: dt.date | None, instrument: str | None
) -> None:
    written = {(row.instrument, row.period, row.date) for row in rows}
    others = PerformanceMetric.objects.all()
    if instrument is not None:
        others = others.filter(instrument=instrument)
    if since is not None:
        later = Q()
        for period in PERIODS:
            later |= Q(period=period.value, date__gte=period.beginning(since))
        others = others.filter(later)
    gone = [
        row.pk
        for row in others.only("pk", "instrument", "period", "date")
        if (row.instrument, row.period, row.date) not in written
    ]
    if gone:
        PerformanceMetric.objects.filter(pk__in=gone).delete()
        log.info("performance_removed", rows=len(gone))
