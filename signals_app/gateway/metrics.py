"""What the gateway counts, for Prometheus, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from signals_app.metrics import Memory

REGISTRY = CollectorRegistry()

connections_active = Gauge(
    "websocket_connections_active",
    "Open WebSocket connections",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
ticks_received = Counter("ticks_received", "Ticks that arrived", ["symbol"], registry=REGISTRY)
ticks_rejected = Counter(
    "ticks_rejected", "Ticks that were not stored", ["reason"], registry=REGISTRY
)
errors_sent = Counter(
    "gateway_errors_sent", "Errors sent to connectors", ["code"], registry=REGISTRY
)
store_seconds = Histogram(
    "gateway_store_seconds",
    "From the frame to the stream, for the oldest frame of each step",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30),
    registry=REGISTRY,
)
REGISTRY.register(Memory())
