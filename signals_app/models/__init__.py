"""The rows of the market, the pipeline and its signals."""

from signals_app.models.audit import AuditEntry
from signals_app.models.connector import Connector, ConnectorEvent
from signals_app.models.instrument import Instrument
from signals_app.models.pipeline import Analysis, Decision, StreamPosition
from signals_app.models.price import PriceCandle
from signals_app.models.probability import MeasuredProbability
from signals_app.models.signal import Signal
from signals_app.models.strategy import NoLiveStrategy, Strategy

__all__ = (
    "Analysis",
    "AuditEntry",
    "Connector",
    "ConnectorEvent",
    "Decision",
    "Instrument",
    "MeasuredProbability",
    "NoLiveStrategy",
    "PriceCandle",
    "Signal",
    "Strategy",
    "StreamPosition",
)
