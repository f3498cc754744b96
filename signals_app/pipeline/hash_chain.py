"""The hash chain of signals in the database: each new one is linked to its instrument's last."""

from signals_app.confluence.hash_chain import BEGINNING, signal_link
from signals_app.models import Signal


def link_signal(row: Signal) -> None:
    """Link a row that was just stored, as the database gives it back, behind the last signal.

    The proof reads rows: what is linked must be what it will read, not what was in memory. Call
    it in the transaction that stores the row, with the right to decide the symbol's closes, so that
    no other comes between.
    """
    before = Signal.objects.filter(instrument=row.instrument).exclude(pk=row.pk)
    links = before.order_by("-timestamp", "-signal_id").values_list("record_hash", flat=True)
    stored = Signal.objects.get(pk=row.pk).value()
    row.record_hash = signal_link(links.first() or BEGINNING, stored)
    row.save(update_fields=("record_hash",))
