"""How long the pipeline takes, for Prometheus; observed by closes and signals, never by ticks."""

from prometheus_client import Histogram

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
