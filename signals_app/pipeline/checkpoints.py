"""Where a symbol's ticks are needed again should Redis have lost them."""

from typing import Any

from signals_app.models import Decision, StreamPosition


def resume_checkpoint(symbol: str) -> dict[str, Any] | None:
    """From where ticks are needed again; `None` for a symbol that has no position yet.

    It has the last tick that is not needed any more (`ordinal`, `time_ms`, `bid`, and its
    `writer`), and the last watermark and each connector's `seqs` at that point. Open decisions
    still need the ticks from their entry on.
    """
    position = StreamPosition.objects.filter(instrument=symbol).first()
    if position is None:
        return None
    waiting = Decision.objects.open(symbol).exclude(entry_ordinal=None).first()
    if waiting is not None and waiting.checkpoint:
        return dict(waiting.checkpoint)
    return position.checkpoint()
