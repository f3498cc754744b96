"""Links as version 0.1.0 made them: some results of nothing were linked as -0.0.

A record's rows keep the links themselves. An export holds none: whoever noted a digest of that
version can only be answered by computing its links again, sign for sign.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from signals_app.market.direction import Direction
from trades_app.lifecycle.hash_chain import Entry, event_link
from trades_app.lifecycle.trade import EventKind, TradeEvent


def signed_fields(
    direction: Direction, entry_price: Decimal | None, event: TradeEvent
) -> tuple[str, ...]:
    """Which of an event's results that version had as -0.0.

    The distance of a SELL that ended at its entry, and what a smaller loss than half a hundredth of
    a pip or half a cent was rounded to.
    """
    if event.price is None or event.kind is EventKind.OPENED or entry_price is None:
        return ()
    distance = (event.price - entry_price) * direction.sign
    signed = []
    if not event.pips and distance.is_signed():
        signed.append("pips")
    if not event.profit and event.lots and distance < 0:
        signed.append("profit")
    return tuple(signed)


def entries_once(
    signal: Entry, direction: Direction, events: Sequence[TradeEvent], until_ms: int
) -> Iterator[Entry]:
    """Yield the entries of a trade's events, up to ``until_ms`` as that version made them."""
    opened = next((event.price for event in events if event.kind is EventKind.OPENED), None)
    last = signal.link
    for number, event in enumerate(events, 1):
        signed = signed_fields(direction, opened, event) if event.time_ms <= until_ms else ()
        last = event_link(last, signal.signal_id, number, event, signed)
        yield Entry(event.time_ms, event.ordinal, signal.signal_id, number, last)


def signed_times(trades: Iterable[tuple[Direction, Sequence[TradeEvent]]]) -> list[int]:
    """When there were such results, latest first: at one of them the version was replaced."""
    times = set()
    for direction, events in trades:
        opened = next((event.price for event in events if event.kind is EventKind.OPENED), None)
        times |= {e.time_ms for e in events if signed_fields(direction, opened, e)}
    return sorted(times, reverse=True)
