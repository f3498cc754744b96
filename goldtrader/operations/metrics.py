"""`/metrics`: what this installation counts, of all its processes that share a directory.

With PROMETHEUS_MULTIPROC_DIR, as the stack sets it, each process writes its counts into a file
there and the web server adds them up. Without it, each process tells its own on a port of its own.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil
import structlog
from django.conf import settings
from django.db import Error
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    start_http_server,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from goldtrader.store import store
from reports_app.metrics import TradingFigures
from signals_app import metrics as pipeline
from signals_app.gateway import metrics as gateway
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.models import Instrument, StreamPosition
from signals_app.pipeline import stream
from trades_app.notifications import delivery

log = structlog.get_logger(__name__)

api_requests = Counter("api_requests", "Requests to the API", ["method", "endpoint", "status"])
database_queries = Histogram(
    "database_queries_duration",
    "Seconds that a query took",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
#: What workers observe; known here, so that each is told before its first observation.
LATENCIES = (pipeline.tick_to_analysis, pipeline.signal_generation, delivery.delivery_seconds)
#: How many ports behind METRICS_PORT, which is the gateway's, the other processes try.
_PORTS = 9

# A figure is there before its first event, so that a dashboard says 0 and not "no data".
api_requests.labels("GET", "health", "200")
for _reason in ("standby", "known", "earlier"):
    gateway.ticks_rejected.labels(_reason)
for _instrument in DEFAULT_INSTRUMENTS:
    gateway.ticks_received.labels(_instrument.symbol)


class CountApiRequests:
    """Counts the API's requests by their endpoint's name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and count the answer."""
        response = self._get_response(request)
        if request.path.startswith("/api/"):
            found = request.resolver_match
            endpoint = found.view_name if found is not None else "unknown"
            # What a client may make up must not become a name of its own.
            method = request.method if request.method in {"GET", "POST"} else "other"
            api_requests.labels(method, endpoint, str(response.status_code)).inc()
        return response


def time_queries() -> None:
    """Time every query of the connections that are opened from now on."""
    connection_created.connect(_time_connection, dispatch_uid="database_queries_duration")


def view(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer Prometheus with everything that this installation knows."""
    registry = CollectorRegistry()
    for collector in (Counted(is_alone=False), Memory(), StreamLag(), _FIGURES):
        registry.register(collector)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def serve() -> None:
    """Serve this process's own figures on the first free port behind METRICS_PORT, if that is set.

    Nothing here asks the database: workers fork, and a connection of ours would be shared.
    """
    if not settings.METRICS_PORT:
        return
    registry = CollectorRegistry()
    for collector in (Counted(is_alone=True), Memory()):
        registry.register(collector)
    for port in range(settings.METRICS_PORT + 1, settings.METRICS_PORT + 1 + _PORTS):
        try:
            start_http_server(port, addr=settings.METRICS_HOST, registry=registry)
        except OSError:
            continue
        log.info("metrics_served", port=port)
        return
    log.warning("metrics_not_served", first_port=settings.METRICS_PORT + 1, ports=_PORTS)


class Counted(Collector):
    """What processes count: all that share the directory, or only this one and its children."""

    def __init__(self, *, is_alone: bool) -> None:
        self._is_alone = is_alone

    def describe(self) -> list[Metric]:
        """Return nothing; what there is is found when asked."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield each figure; memory is told by `Memory`."""
        directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if directory:
            _forget_dead(Path(directory))
            shared: Any = MultiProcessCollector
            found: list[Metric] = list(shared.merge(self._files(Path(directory))))
        else:
            found = [*REGISTRY.collect(), *gateway.REGISTRY.collect()]
        yield from (metric for metric in found if metric.name != "memory_usage_bytes")

    def _files(self, directory: Path) -> list[str]:
        files = directory.glob("*.db")
        if not self._is_alone:
            return [str(file) for file in files]
        this = psutil.Process()
        pids = {str(process.pid) for process in (this, *this.children(recursive=True))}
        return [str(file) for file in files if _pid_of(file) in pids]


class Memory(Collector):
    """What this process and its children hold in memory."""

    def collect(self) -> Iterator[Metric]:
        """Yield the resident bytes."""
        this = psutil.Process()
        held = 0
        for process in (this, *this.children(recursive=True)):
            try:
                held += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        meaning = "Resident memory of the process that answers, and its children"
        yield GaugeMetricFamily("memory_usage_bytes", meaning, value=held)


class StreamLag(Collector):
    """How many ticks are stored and not used yet."""

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering asks nobody."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the lag of each symbol, as far as database and Redis answer."""
        lag = GaugeMetricFamily(
            "stream_lag_ticks", "Ticks stored and not used yet", labels=["symbol"]
        )
        try:
            used = dict.fromkeys(Instrument.objects.values_list("symbol", flat=True), 0)
            used |= dict(StreamPosition.objects.values_list("symbol", "ordinal"))
            for symbol, ordinal in sorted(used.items()):
                newest: Any = store().xrevrange(stream.stream_key(symbol), count=1)
                last = int(newest[0][0].partition(b"-")[0]) if newest else ordinal
                lag.add_metric([symbol], max(0, last - ordinal))
        except (Error, RedisError) as failure:
            log.warning("stream_lag_not_read", detail=str(failure))
        yield lag


_FIGURES = TradingFigures()


def _forget_dead(directory: Path) -> None:
    """Forget the gauges of processes that are gone: their connections are too."""
    for file in directory.glob("gauge_live*_*.db"):
        pid = _pid_of(file)
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            file.unlink(missing_ok=True)


def _pid_of(file: Path) -> str:
    return file.stem.rpartition("_")[2]


def _time_connection(connection: Any, **_: Any) -> None:
    if _timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(_timed)


def _timed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    started = perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        database_queries.observe(perf_counter() - started)
