"""Collectors of `/metrics`: what processes count, and how far the pipeline is behind its ticks."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import structlog
from django.db import Error
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from goldtrader import metrics_files
from goldtrader.store import store
from signals_app.gateway import metrics as gateway
from signals_app.metrics import Memory
from signals_app.models import Instrument, StreamPosition
from signals_app.pipeline.stream_keys import stream_key

log = structlog.get_logger(__name__)


class ProcessMetrics(Collector):
    """What processes count, and this one's memory.

    With PROMETHEUS_MULTIPROC_DIR that is the sum of all processes that write there, or of this one
    and its children alone (`is_alone`).
    """

    def __init__(self, *, is_alone: bool) -> None:
        self._is_alone = is_alone

    def describe(self) -> list[Metric]:
        """Name no metric beforehand: which there are is known when they are asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield each metric."""
        directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if not directory:
            yield from REGISTRY.collect()
            yield from gateway.REGISTRY.collect()
            return
        metrics_files.forget_ended(Path(directory))
        shared: Any = MultiProcessCollector
        with metrics_files.being_read(Path(directory)) as files:
            merged = list(shared.merge([str(file) for file in self._counted(files)]))
        yield from merged
        yield from Memory().collect()

    def _counted(self, files: list[Path]) -> list[Path]:
        if not self._is_alone:
            return files
        this = psutil.Process()
        pids = {str(process.pid) for process in (this, *this.children(recursive=True))}
        return [file for file in files if metrics_files.pid_of(file) in pids]


class StreamLag(Collector):
    """How many ticks are stored and not used yet."""

    def describe(self) -> list[Metric]:
        """Name no metric beforehand, so that registering asks neither database nor Redis."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the lag of each symbol, as far as database and Redis answer."""
        lag = GaugeMetricFamily(
            "stream_lag_ticks", "Ticks stored and not used yet", labels=["symbol"]
        )
        try:
            used = dict.fromkeys(Instrument.objects.values_list("symbol", flat=True), 0)
            used |= dict(StreamPosition.objects.values_list("instrument", "ordinal"))
            for symbol, ordinal in sorted(used.items()):
                newest: Any = store().xrevrange(stream_key(symbol), count=1)
                last = int(newest[0][0].partition(b"-")[0]) if newest else ordinal
                lag.add_metric([symbol], max(0, last - ordinal))
        except (Error, RedisError) as failure:
            log.warning("stream_lag_not_read", detail=str(failure))
        yield lag
