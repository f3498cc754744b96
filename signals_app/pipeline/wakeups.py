"""What the gateway asks for: wake-ups, resume points and a place for reports."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from signals_app.models import Connector, ConnectorEvent, Decision, StreamPosition
from signals_app.pipeline import stream

#: A wake-up that was lost is made up for after so many seconds.
WAKE_EXPIRES = 5


def claim_wakeup(symbol: str) -> bool:
    """Claim the symbol's wake-up; `False` where a `build_candles` task is waiting already."""
    return bool(stream.connection().set(f"wake:{symbol}", 1, nx=True, ex=WAKE_EXPIRES))


def acknowledge_wakeup(symbol: str) -> None:
    """Give the wake-up back as its task begins: ticks stored from now on wake it again."""
    stream.connection().delete(f"wake:{symbol}")


def resume_mark(symbol: str) -> dict[str, Any] | None:
    """Return from where ticks are needed again should Redis hold none; `None` for a new symbol.

    The mark has the last tick that is not needed any more (`ordinal`, `time_ms`, `bid`, and its
    `writer`), and the last watermark and each connector's `seqs` at that point. Open decisions
    still need the ticks from their entry on.
    """
    position = StreamPosition.objects.filter(symbol=symbol).first()
    if position is None:
        return None
    waiting = Decision.objects.open(symbol).exclude(entry_ordinal=None).first()
    if waiting is not None and waiting.mark:
        return dict(waiting.mark)
    return position.mark()


def record_connector_event(connector: str, code: str, symbol: str, message: str) -> None:
    """Keep what a connector reported or what happened to it."""
    ConnectorEvent.objects.create(
        connector=connector[:64],
        code=code[:40],
        symbol=symbol[:20],
        # PostgreSQL keeps no zero characters.
        message=message.replace("\0", "")[:1000],
    )


def note_connectors_seen(names: Sequence[str]) -> None:
    """Note that these connectors were heard of just now."""
    Connector.objects.filter(name__in=names).update(last_seen=timezone.now())
