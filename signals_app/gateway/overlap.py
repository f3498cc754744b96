"""What a connector sends again of the last stored millisecond, recognised by content. Pure.

Several ticks share a millisecond, and a connector that takes over knows only the time of the last
stored tick. So it sends that millisecond from its beginning, and what another one had sent of it
already is left out, tick by tick; equal ticks count as often as they came.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from mt5_bridge.protocol.quotes import Bools, Quotes, quantise

# More ticks than any market has in a millisecond; of files with coarser times the last ones count.
_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class StoredQuote:
    """A tick of the last stored millisecond, and which senders have sent it.

    A sender is one numbering of ticks: a connector's name, with its spool's identity where it says
    one.
    """

    bid: float
    ask: float
    senders: tuple[str, ...]


Tail: TypeAlias = tuple[StoredQuote, ...]
"""All ticks that bear the time of the last one, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Which quotes are new, and the tail with a note of those that are not."""

    is_new: Bools
    tail: Tail | None


def sender_of(connector: str, spool: str) -> str:
    """Whose ticks these are: a connector with another spool has numbers of its own."""
    return f"{connector}/{spool}" if spool else connector


def compare(
    tail: Tail | None, last_ms: int, sender: str, quotes: Quotes, *, is_writer: bool
) -> Overlap:
    """Compare a sender's quotes with the last stored millisecond.

    ``is_writer`` says whether the sender's connector sent the last tick. One that did not sends
    earlier ticks in vain; where the tail is not known (`None`) its ticks count from the first later
    one on.
    """
    is_new = np.ones(len(quotes), np.bool_)
    if is_writer and all(sender in stored.senders for stored in tail or ()):
        return Overlap(is_new, tail)
    is_later = quotes.time_ms > last_ms
    end = int(np.argmax(is_later)) if is_later.any() else len(quotes)
    if tail is None:
        is_new[:end] = False
        return Overlap(is_new, tail)
    marked = list(tail)
    is_own = is_writer and any(sender in stored.senders for stored in tail)
    bids, asks = quantise(quotes.bid[:end]).tolist(), quantise(quotes.ask[:end]).tolist()
    times = quotes.time_ms[:end].tolist()
    for place, (time_ms, bid, ask) in enumerate(zip(times, bids, asks, strict=True)):
        if time_ms < last_ms:
            is_new[place] = is_own
            continue
        found = _find(marked, sender, bid, ask)
        if found is not None:
            senders = (*marked[found].senders, sender)
            marked[found] = replace(marked[found], senders=senders)
            is_new[place] = False
    return Overlap(is_new, tuple(marked))


def extend(tail: Tail | None, last_ms: int, sender: str, accepted: Quotes) -> Tail | None:
    """The tail after these quotes, whose times never go back, were stored behind ``last_ms``."""
    if not len(accepted):
        return tail
    newest_ms = accepted.time_ms[-1]
    before = tail if newest_ms == last_ms else ()
    if before is None:
        return None
    first = int(np.searchsorted(accepted.time_ms, newest_ms, side="left"))
    pairs = zip(accepted.bid[first:].tolist(), accepted.ask[first:].tolist(), strict=True)
    return (*before, *(StoredQuote(bid, ask, (sender,)) for bid, ask in pairs))[-_MOST:]


def write_tail(tail: Tail | None) -> str:
    """The tail as text for Redis and the database; empty where it is not known."""
    if tail is None:
        return ""
    rows = [(stored.bid, stored.ask, stored.senders) for stored in tail]
    return msgspec.json.encode(rows).decode()


def read_tail(text: str) -> Tail | None:
    """What `write_tail` wrote."""
    if not text:
        return None
    return tail_of(msgspec.json.decode(text))


def tail_of(rows: Any) -> Tail:
    """The tail of plain JSON: bid, ask and senders by tick."""
    found = msgspec.convert(rows, list[tuple[float, float, tuple[str, ...]]])
    return tuple(StoredQuote(*row) for row in found)


def _find(tail: list[StoredQuote], sender: str, bid: float, ask: float) -> int | None:
    """The place of the first equal tick that the sender has not sent, `None` without one."""
    for place, stored in enumerate(tail):
        if (stored.bid, stored.ask) == (bid, ask) and sender not in stored.senders:
            return place
    return None
