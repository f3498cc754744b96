"""The hash chain of signals in the database: each new one is linked to its instrument's last."""

from signals_app.confluence.hash_chain import BEGINNING, signal_link
from signals_app.confluence.signal import TradingSignal
from signals_app.models import Signal


def link_signal(row: Signal, value: TradingSignal) -> None:
    """Set the link of a row that is about to be stored behind the instrument's last signal.

    Call it with the right to decide the symbol's closes, so that no other comes between.
    """
    before = Signal.objects.filter(instrument=row.instrument).order_by("-timestamp", "-signal_id")
    last = before.values_list("record_hash", flat=True).first()
    row.record_hash = signal_link(last or BEGINNING, value)
