"""Plans an append: which of a connector's ticks enter the symbol's stream, and where. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Final

import numpy as np

from mt5_bridge.protocol.quote_filter import BadTick, LastGood, QuoteFilter, RefusedQuote
from mt5_bridge.protocol.quotes import Bools, Quotes
from mt5_bridge.protocol.wire import Row
from signals_app.gateway import overlap
from signals_app.gateway.stream_state import StreamState
from signals_app.market.candle import TIMEFRAMES
from signals_app.market.instrument import HIGHEST_PRICE
from signals_app.market.tick import Ticks

_SHORTEST_MS: Final = TIMEFRAMES[0].milliseconds


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one frame; `seq` is the first row's, `None` where the connector counts none."""

    seq: int | None
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class AppendPlan:
    """What one append stores, and what it leaves out.

    `state` is that of the stream afterwards. `ticks` are the accepted ones, numbered; `seq` is the
    connector's last one that is stored or refused then. `refusals` count the refused ticks by
    reason, and `first_refusal` is one of them. `duplicates` had come before, `earlier` ticks were
    stored from another connector, and `missing` ones were never sent. `may_decide` where a
    decision may follow from it: a candle ends, or the first tick comes after a candle that a
    watermark ended.
    """

    state: StreamState
    ticks: Ticks
    seq: int
    watermark_ms: int | None = None
    refusals: Mapping[BadTick, int] = field(default_factory=dict)
    first_refusal: RefusedQuote | None = None
    first_refused_seq: int | None = None
    duplicates: int = 0
    earlier: int = 0
    missing: int = 0
    may_decide: bool = False


def plan_append(
    state: StreamState,
    connector: str,
    batches: Sequence[Batch],
    watermark_ms: int | None,
    quote_filter: QuoteFilter,
    now_ms: int | None,
    *,
    spool: str = "",
) -> AppendPlan:
    """Plan what follows from a connector's batches, and then its watermark, in this state.

    Ticks whose `seq` was dealt with are left out. After a change of connectors, or of a connector's
    ``spool``, the new one's ticks count from the millisecond of the last stored tick on, without
    those that are stored (`overlap`). With ``now_ms`` `None` ticks may be as far ahead as they
    like.
    """
    fresh = _without_duplicates(state.seq(connector), batches)
    quotes = _columns([row for batch in fresh.batches for row in batch.rows])
    sender = overlap.sender_of(connector, spool)
    is_writer = state.writer == connector or state.ordinal == 0
    found = overlap.compare(state.tail, state.time_ms, sender, quotes, is_writer=is_writer)
    newest = LastGood(state.time_ms, state.bid, state.watermark_ms, state.jumps)
    checked = quote_filter.check(quotes.where(found.is_new), newest, now_ms)
    accepted = checked.quotes
    ticks = Ticks(state.ordinal + 1, accepted.time_ms, accepted.bid, accepted.ask)
    tail = overlap.extend(found.tail, state.time_ms, sender, accepted)
    after = replace(
        state, seqs={**state.seqs, connector: fresh.seq}, tail=tail, jumps=checked.last.jumps
    )
    if len(ticks):
        after = replace(
            after,
            ordinal=ticks.last_ordinal,
            time_ms=checked.last.time_ms,
            bid=checked.last.bid,
            writer=connector,
        )
    closing = watermark_ms if _closes_a_candle(after, watermark_ms) else None
    first = checked.refusals[0] if checked.refusals else None
    return AppendPlan(
        state=replace(after, watermark_ms=closing) if closing is not None else after,
        ticks=ticks,
        seq=fresh.seq,
        watermark_ms=closing,
        refusals=checked.reasons if first is not None else {},
        first_refusal=first,
        first_refused_seq=None if first is None else _seq_of(fresh.batches, found.is_new, first),
        duplicates=fresh.duplicates,
        earlier=int(len(quotes) - found.is_new.sum()),
        missing=fresh.missing,
        may_decide=closing is not None or _begins_a_candle(state, after),
    )


@dataclass(frozen=True, slots=True)
class _FreshBatches:
    batches: Sequence[Batch]
    seq: int
    duplicates: int
    missing: int


def _without_duplicates(seq: int, batches: Sequence[Batch]) -> _FreshBatches:
    """Leave out the rows that have a ``seq`` up to the given one."""
    fresh: list[Batch] = []
    duplicates = missing = 0
    for batch in batches:
        count = len(batch.rows)
        if batch.seq is None:
            fresh.append(batch)
            continue
        overlap = min(max(seq + 1 - batch.seq, 0), count)
        missing += max(batch.seq - seq - 1, 0) if count else 0
        duplicates += overlap
        if overlap < count:
            rest = Batch(batch.seq + overlap, batch.rows[overlap:]) if overlap else batch
            fresh.append(rest)
            seq = batch.seq + count - 1
    return _FreshBatches(fresh, seq, duplicates, missing)


def _columns(rows: Sequence[Row]) -> Quotes:
    count = len(rows)
    ask = np.fromiter((row.ask for row in rows), np.float64, count)
    return Quotes(
        np.fromiter((row.time_ms for row in rows), np.int64, count),
        np.fromiter((row.bid for row in rows), np.float64, count),
        # The filter knows no largest price; one that cannot be kept counts as infinite.
        np.where(ask > HIGHEST_PRICE, np.inf, ask),
    )


def _closes_a_candle(state: StreamState, watermark_ms: int | None) -> bool:
    """Whether the watermark passes the end of a candle that may still be forming."""
    if watermark_ms is None or state.ordinal == 0:
        return False
    passed = max(state.time_ms, state.watermark_ms)
    return watermark_ms // _SHORTEST_MS > passed // _SHORTEST_MS


def _begins_a_candle(before: StreamState, after: StreamState) -> bool:
    """Whether a tick came behind the end of the last tick's candle, or behind a watermark.

    So does the very first.
    """
    if after.ordinal == before.ordinal:
        return False
    is_later = after.time_ms // _SHORTEST_MS > before.time_ms // _SHORTEST_MS
    return is_later or before.ordinal == 0 or before.watermark_ms > before.time_ms


def _seq_of(batches: Sequence[Batch], is_new: Bools, refusal: RefusedQuote) -> int | None:
    """The seq of a refused quote, whose place is counted among the new ones."""
    return _seq_at(batches, int(np.flatnonzero(is_new)[refusal.place]))


def _seq_at(batches: Sequence[Batch], place: int) -> int | None:
    """The seq of the row at ``place`` among all rows of the batches."""
    ends = accumulate(len(batch.rows) for batch in batches)
    for batch, end in zip(batches, ends, strict=True):
        if place < end:
            return None if batch.seq is None else batch.seq + place - (end - len(batch.rows))
    return None
