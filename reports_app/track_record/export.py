"""The whole track record as JSON: the same objects, in the same order, as a backtest's."""

from typing import Any

from signals_app.confluence.signal import signal_as_json
from signals_app.models import Signal
from signals_app.pipeline.decisions import signal_value
from trades_app.lifecycle.machine import trade_as_json
from trades_app.models import Trade
from trades_app.trading.services import event_value, trade_value


def track_record_as_json() -> dict[str, list[dict[str, Any]]]:
    """Return all signals and trades: by candle close, then instrument, then signal id."""
    trades = Trade.objects.told().prefetch_related("events")
    return {
        "signals": [signal_as_json(signal_value(row)) for row in Signal.objects.told()],
        "trades": [
            trade_as_json(trade_value(row), [event_value(event) for event in row.events.all()])
            for row in trades
        ],
    }
