"""The admin's pages of the market, the pipeline and its signals."""

from signals_app.admin import connectors, instruments, pipeline, probabilities, signals, strategies

__all__ = ("connectors", "instruments", "pipeline", "probabilities", "signals", "strategies")
