"""The whole track record as JSON: the same objects, in the same order, as a backtest's."""

from typing import Any

from signals_app.market.encoding import as_json
from signals_app.models import Signal
from trades_app.lifecycle.exported import trade_as_json
from trades_app.models import Trade


def track_record_as_json() -> dict[str, list[dict[str, Any]]]:
    """All signals and trades: by candle close, then instrument, then signal id."""
    trades = Trade.objects.in_record_order().prefetch_related("events")
    return {
        "signals": [as_json(row.value()) for row in Signal.objects.in_record_order()],
        "trades": [
            trade_as_json(row.value(), [event.value() for event in row.events.all()])
            for row in trades
        ],
    }
