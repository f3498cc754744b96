"""The live record's signals with the results of their trades."""

from datetime import datetime

from reports_app.assessment.live_scores import LiveSignal
from trades_app.lifecycle.trade import TradeStatus
from trades_app.models import Trade


def read_live_signals(
    symbol: str, *, begin: datetime | None = None, end: datetime | None = None
) -> list[LiveSignal]:
    """Read the signals of an instrument that became trades, in the order of the record.

    Those of candles that closed at ``begin`` or later, and before ``end``.
    """
    rows = (
        Trade.objects.in_record_order()
        .filter(instrument=symbol)
        .exclude(status=TradeStatus.CANCELLED)
    )
    if begin is not None:
        rows = rows.filter(signal__timestamp__gte=begin)
    if end is not None:
        rows = rows.filter(signal__timestamp__lt=end)
    return [LiveSignal(float(row.signal.confidence_score), _r_multiple(row)) for row in rows]


def _r_multiple(row: Trade) -> float | None:
    multiple = None if row.is_open else row.value().r_multiple
    return None if multiple is None else float(multiple)
