"""The gateway's metrics, by the names that are promised."""

import psutil
from prometheus_client import generate_latest

from signals_app.gateway import metrics


def test_the_registry_has_the_promised_names() -> None:
    metrics.ticks_received.labels("XAUUSD")
    metrics.ticks_rejected.labels("jump")
    metrics.errors_sent.labels("BAD_TICK")
    text = generate_latest(metrics.REGISTRY).decode()
    for sample in (
        "websocket_connections_active ",
        'ticks_received_total{symbol="XAUUSD"} ',
        'ticks_rejected_total{reason="jump"} ',
        'gateway_errors_sent_total{code="BAD_TICK"} ',
        'gateway_store_seconds_bucket{le="0.001"} ',
        "memory_usage_bytes ",
    ):
        assert f"\n{sample}" in text, sample


def test_memory_is_what_the_process_holds_in_bytes() -> None:
    own = psutil.Process().memory_info().rss

    held = metrics.REGISTRY.get_sample_value("memory_usage_bytes")

    assert held is not None
    # The process may grow or give back a little between the two readings.
    assert own / 2 < held < 64 * own
