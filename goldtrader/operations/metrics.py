"""`/metrics`, for Prometheus.

With PROMETHEUS_MULTIPROC_DIR, as the stack sets it, each process writes its counts into a file
there and the web server adds them up. Without it, each process serves its own on its own port.
"""

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    generate_latest,
    start_http_server,
)

from goldtrader.access.networks import may_read_metrics
from goldtrader.operations import instrumentation
from goldtrader.operations.collectors import ProcessMetrics, StreamLag
from reports_app.metrics import TradingFigures
from signals_app import metrics as pipeline
from signals_app.gateway import metrics as gateway
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from trades_app.notifications import delivery

log = structlog.get_logger(__name__)

#: What workers observe; imported here, so that each is there before its first observation.
LATENCIES = (pipeline.tick_to_analysis, pipeline.signal_generation, delivery.delivery_seconds)
#: How many ports behind METRICS_PORT, which is the gateway's, the other processes try.
_PORTS = 9

_TRADING_FIGURES = TradingFigures()


def begin_at_zero() -> None:
    """Make counts that have labels before their first event, so that a dashboard shows 0."""
    instrumentation.api_requests.labels("GET", "health", "200")
    for reason in ("standby", "known", "earlier"):
        gateway.ticks_rejected.labels(reason)
    for instrument in DEFAULT_INSTRUMENTS:
        gateway.ticks_received.labels(instrument.symbol)


def view(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus with the metrics of the whole installation."""
    if not may_read_metrics(request):
        return HttpResponse(
            "Metrics are for METRICS_ALLOWED_IPS, or for a caller with METRICS_TOKEN.\n",
            status=403,
            content_type="text/plain",
        )
    registry = CollectorRegistry()
    for collector in (ProcessMetrics(is_alone=False), StreamLag(), _TRADING_FIGURES):
        registry.register(collector)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def serve() -> None:
    """Serve this process's own metrics on the first free port behind METRICS_PORT, if it is set.

    None of them needs the database: workers fork, and a connection of ours would be shared.
    """
    if not settings.METRICS_PORT:
        return
    registry = CollectorRegistry()
    registry.register(ProcessMetrics(is_alone=True))
    for port in range(settings.METRICS_PORT + 1, settings.METRICS_PORT + 1 + _PORTS):
        try:
            start_http_server(port, addr=settings.METRICS_HOST, registry=registry)
        except OSError:
            continue
        log.info("metrics_served", port=port)
        return
    log.warning("metrics_not_served", first_port=settings.METRICS_PORT + 1, ports=_PORTS)
