"""How long the pipeline takes, and the memory of a process, for Prometheus.

Durations are observed once for each close and signal, never for each tick.
"""

from collections.abc import Iterator

import psutil
from prometheus_client import Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)

tick_to_analysis = Histogram(
    "tick_to_analysis_seconds",
    "From the gateway's receipt of the tick that closed a candle to its analysis stored and scored",
    buckets=_BUCKETS,
)
signal_generation = Histogram(
    "signal_generation_seconds",
    "From the analysis stored to the signal stored",
    buckets=_BUCKETS,
)


class Memory(Collector):
    """Resident memory of this process and its children, in bytes."""

    def collect(self) -> Iterator[Metric]:
        """Yield the sum; a child that ends meanwhile is left out."""
        this = psutil.Process()
        held = 0
        for process in (this, *this.children(recursive=True)):
            try:
                held += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        meaning = "Resident memory of the process that answers, and its children"
        yield GaugeMetricFamily("memory_usage_bytes", meaning, value=held)
