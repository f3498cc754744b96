"""The hash chain of trades: links of events behind their signal's, and digests of whole days.

Nothing here depends on when or by which worker something was written; `confluence.hash_chain` has
the links themselves.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, groupby
from typing import Any, NamedTuple

from signals_app.confluence.hash_chain import BEGINNING, link, signal_link
from signals_app.confluence.signal import TradingSignal
from signals_app.market.calendar import utc
from signals_app.market.encoding import as_json
from trades_app.lifecycle.trade import TradeEvent

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
#: What earlier versions may have linked as -0.0 where it was nothing.
_ONCE_SIGNED = ("profit", "pips")


class Entry(NamedTuple):
    """A link, in the order of the record: by time, tick, id, and a signal before its events.

    `number` is the event's place in the trade's life, 0 for the signal itself.
    """

    time_ms: int
    ordinal: int
    signal_id: str
    number: int
    link: str


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day of an instrument's record; `previous` is the digest of the day before."""

    date: date
    previous: str
    digest: str
    entries: tuple[Entry, ...]

    @property
    def signals(self) -> int:
        """How many signals were made."""
        return sum(not entry.number for entry in self.entries)

    @property
    def events(self) -> int:
        """How much happened to trades."""
        return len(self.entries) - self.signals


def event_link(
    previous: str, signal_id: str, number: int, event: TradeEvent, signed: Collection[str] = ()
) -> str:
    """An event's link behind that of the trade's event before, of its signal for the first.

    ``number`` is the event's place in the trade's life, from 1. Fields in ``signed``, which are
    nothing, are linked as -0.0 (see `event_links`).
    """
    content = _covered(signal_id, number, event)
    return link(previous, content | dict.fromkeys(signed, -0.0))


def event_links(previous: str, signal_id: str, number: int, event: TradeEvent) -> Iterator[str]:
    """Yield every link that the event may bear: today's, then those of earlier versions.

    They linked the value in memory, in which a profit or distance of nothing could be -0.0, and
    stored 0.00. Both are one number: whatever else an event is changed to has none of these links.
    """
    nothing = [name for name in _ONCE_SIGNED if not getattr(event, name)]
    for number_signed in range(len(nothing) + 1):
        for signed in combinations(nothing, number_signed):
            yield event_link(previous, signal_id, number, event, signed)


def _covered(signal_id: str, number: int, event: TradeEvent) -> dict[str, Any]:
    printed = as_json(event)
    return {"signal_id": signal_id, "number": number} | {name: printed[name] for name in _COVERED}


def day_digest(previous: str, instrument: str, day: date, links: Iterable[str]) -> str:
    """The SHA-256 of the digest before, instrument, UTC day and the day's links, by line.

    ``links`` are in the order of the record: by time, tick, id, a signal before its events.
    """
    lines = (previous, instrument, day.isoformat(), *links)
    return hashlib.sha256("\n".join(lines).encode("ascii")).hexdigest()


def signal_entries(signals: Iterable[TradingSignal]) -> Iterator[Entry]:
    """Yield the entries of one instrument's signals, which are given in candle order."""
    last = BEGINNING
    for signal in signals:
        last = signal_link(last, signal)
        yield Entry(signal.timestamp_ms, signal.entry_ordinal, signal.signal_id, 0, last)


def event_entries(
    signal: Entry, events: Iterable[TradeEvent], stored: Sequence[str] = ()
) -> Iterator[Entry]:
    """Yield the entries of one trade's events, which are given in order, behind its signal's.

    ``stored`` are the links that the events bear: one that an earlier version may have made (see
    `event_links`) stays, any other is replaced by today's.
    """
    last = signal.link
    for number, event in enumerate(events, 1):
        possible = event_links(last, signal.signal_id, number, event)
        today = next(possible)
        borne = stored[number - 1] if stored else today
        last = borne if borne == today or borne in possible else today
        yield Entry(event.time_ms, event.ordinal, signal.signal_id, number, last)


def chain_days(instrument: str, entries: Iterable[Entry]) -> tuple[Day, ...]:
    """The days that hold all of an instrument's entries, oldest first."""
    days: list[Day] = []
    previous = BEGINNING
    for day, group in groupby(sorted(entries), key=lambda entry: utc(entry.time_ms).date()):
        mine = tuple(group)
        digest = day_digest(previous, instrument, day, [entry.link for entry in mine])
        days.append(Day(day, previous, digest, mine))
        previous = digest
    return tuple(days)


def holds_published(instrument: str, days: Sequence[Day], until: date, digest: str) -> bool:
    """Whether a digest that was noted belongs to this record.

    It may be that of the last day up to ``until``, as reports name it, or the head as it stood at
    some moment of that day, before the rest of it.
    """
    covered = [day for day in days if day.date <= until]
    if not covered:
        return False
    return digest == covered[-1].digest or digest in _heads(instrument, covered[-1])


def _heads(instrument: str, day: Day) -> set[str]:
    """Each digest that the day may have had while it went on.

    Events came in order, and signals too; but a signal bears its candle's time, and may have come
    after events that stand behind it. Its trade may still have waited to be opened.
    """
    signals = [entry for entry in day.entries if not entry.number]
    events = [entry for entry in day.entries if entry.number]
    heads: set[str] = set()
    for made in range(len(signals) + 1):
        for opened in {made, max(made - 1, 0)}:
            waiting = {entry.signal_id for entry in signals[opened:]}
            moved = [entry for entry in events if entry.signal_id not in waiting]
            for happened in range(len(moved) + 1):
                links = [entry.link for entry in sorted(signals[:made] + moved[:happened])]
                heads.add(day_digest(day.previous, instrument, day.date, links))
    return heads
