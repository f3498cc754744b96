"""The record's links of trade events, and the digest of a day. Pure; see `confluence.record`."""

import hashlib
from collections.abc import Iterable
from datetime import date

from signals_app.confluence.record import link
from trades_app.lifecycle.machine import TradeEvent, event_as_json

#: What of an event is covered. The list never changes: old links must hold for ever.
_COVERED = (
    "kind",
    "before",
    "after",
    "time",
    "ordinal",
    "price",
    "lots",
    "profit",
    "pips",
    "stop_loss",
)


def event_link(previous: str, signal_id: str, number: int, event: TradeEvent) -> str:
    """Return an event's link behind that of the trade's event before, of its signal for the first.

    ``number`` is the event's place in the trade's life, from 1.
    """
    told = event_as_json(event)
    content = {name: told[name] for name in _COVERED}
    return link(previous, {"signal_id": signal_id, "number": number, **content})


def day_digest(previous: str, instrument: str, day: date, links: Iterable[str]) -> str:
    """Return the SHA-256 of the digest before, instrument, UTC day and the day's links, by line.

    ``links`` are in the order of the record: by time, tick, id, a signal before its events.
    """
    lines = (previous, instrument, day.isoformat(), *links)
    return hashlib.sha256("\n".join(lines).encode("ascii")).hexdigest()
