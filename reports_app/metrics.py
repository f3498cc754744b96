"""The trading figures for Prometheus, read from the database: a restart does not reset them."""

import datetime as dt
from collections.abc import Iterator, Mapping
from threading import Lock
from time import monotonic
from typing import Any, TypeAlias

import structlog
from django.db import Error
from django.db.models import Avg, Count, Q, Sum
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from signals_app.market import calendar
from signals_app.models import Decision, Instrument, Signal, StreamPosition
from trades_app.lifecycle.trade import TradeStatus
from trades_app.models import Trade

log = structlog.get_logger(__name__)

#: By instrument and metric.
Figures: TypeAlias = dict[str, dict[str, float]]
#: By instrument and reason.
Refusals: TypeAlias = dict[tuple[str, str], int]

_CACHE_SECONDS = 5.0
_COUNTERS = {
    "signals_generated": "Signals made",
    "trades_opened": "Trades opened",
    "trades_closed": "Trades closed",
}
_GAUGES = {
    "win_rate_percentage": "Winning trades among those that won or lost",
    "average_risk_reward": "Mean of what the signals of closed trades promised for the risk",
    "active_trades_count": "Trades that ticks still move",
    "daily_pips_total": "Pips of the trades closed on the day of the instrument's last tick (UTC)",
    "daily_profit_loss": "Money of the trades closed on the day of the instrument's last tick",
}
_REFUSED = "Closes decided without a signal, by their reason"
#: A figure that no trade decides yet.
_UNKNOWN = float("nan")


class TradingFigures(Collector):
    """The figures as Prometheus collects them: queried every few seconds, however often it asks."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: tuple[float, Figures, Refusals] | None = None

    def describe(self) -> list[Metric]:
        """Nothing, so that registering asks no database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Each figure by instrument; nothing where the database does not answer."""
        try:
            figures, refusals = self._recent()
        except Error as failure:
            log.warning("figures_not_read", detail=str(failure))
            return
        for name, meaning in _COUNTERS.items():
            counter = CounterMetricFamily(name, meaning, labels=["instrument"])
            for instrument, found in figures.items():
                counter.add_metric([instrument], found[name])
            yield counter
        for name, meaning in _GAUGES.items():
            gauge = GaugeMetricFamily(name, meaning, labels=["instrument"])
            for instrument, found in figures.items():
                gauge.add_metric([instrument], found[name])
            yield gauge
        refused = CounterMetricFamily(
            "decisions_refused", _REFUSED, labels=["instrument", "reason"]
        )
        for (instrument, reason), number in refusals.items():
            refused.add_metric([instrument, reason], number)
        yield refused

    def _recent(self) -> tuple[Figures, Refusals]:
        with self._lock:
            if self._found is None or monotonic() - self._found[0] > _CACHE_SECONDS:
                self._found = monotonic(), trading_figures(), Decision.objects.refusals()
            return self._found[1:]


def trading_figures() -> Figures:
    """The figures of each instrument, by the metrics' names."""
    signals = dict(Signal.objects.order_by().values_list("instrument").annotate(Count("signal_id")))
    closed = Q(exit_time__isnull=False)
    trades = _by_instrument(
        Trade.objects.exclude(status=TradeStatus.CANCELLED)
        .order_by()
        .values("instrument")
        .annotate(
            opened=Count("pk"),
            closed=Count("pk", filter=closed),
            won=Count("pk", filter=closed & Q(profit_loss__gt=0)),
            lost=Count("pk", filter=closed & Q(profit_loss__lt=0)),
            planned=Avg("signal__risk_reward_ratio", filter=closed),
        )
    )
    days = _by_instrument(
        Trade.objects.filter(_last_days())
        .order_by()
        .values("instrument")
        .annotate(pips=Sum("profit_loss_pips"), money=Sum("profit_loss"))
    )
    instruments = Instrument.objects.order_by("symbol").values_list("symbol", flat=True)
    return {
        symbol: _figures(signals.get(symbol, 0), trades.get(symbol, {}), days.get(symbol, {}))
        for symbol in instruments
    }


def _figures(signals: int, trades: Mapping[str, Any], day: Mapping[str, Any]) -> dict[str, float]:
    won, decided = trades.get("won", 0), trades.get("won", 0) + trades.get("lost", 0)
    planned = trades.get("planned")
    return {
        "signals_generated": signals,
        "trades_opened": trades.get("opened", 0),
        "trades_closed": trades.get("closed", 0),
        "win_rate_percentage": 100 * won / decided if decided else _UNKNOWN,
        "average_risk_reward": _UNKNOWN if planned is None else float(planned),
        "active_trades_count": trades.get("opened", 0) - trades.get("closed", 0),
        "daily_pips_total": float(day.get("pips", 0)),
        "daily_profit_loss": float(day.get("money", 0)),
    }


def _last_days() -> Q:
    """The condition that a trade closed on the day of its instrument's last tick."""
    condition = Q(pk__in=())
    for position in StreamPosition.objects.only("instrument", "time_ms"):
        start = calendar.utc(position.time_ms).replace(hour=0, minute=0, second=0, microsecond=0)
        end = start + dt.timedelta(days=1)
        condition |= Q(instrument=position.instrument, exit_time__gte=start, exit_time__lt=end)
    return condition


def _by_instrument(rows: Any) -> dict[str, dict[str, Any]]:
    return {row["instrument"]: row for row in rows}
