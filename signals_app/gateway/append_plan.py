"""What of a connector's quotes enters a symbol's record, and where. Pure.

The record is what Redis holds of one symbol: its accepted ticks, numbered from 1, and for each
connector the last `seq` that was dealt with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Final

import numpy as np

from mt5_bridge.protocol.quote_filter import BadTick, LastGood, QuoteFilter, Refusal
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.protocol.wire import Row
from signals_app.gateway.lease import Holder
from signals_app.market.candle import TIMEFRAMES
from signals_app.market.tick import Ticks

MAXIMUM_PRICE: Final = 99_999.99999
"""What a price column of the database holds. A price beyond it would stop the pipeline."""

_SHORTEST_MS: Final = TIMEFRAMES[0].milliseconds


@dataclass(frozen=True, slots=True)
class Mark:
    """From where on a symbol's ticks are needed again should Redis hold none.

    `ordinal`, `time_ms` and `bid` are those of the last tick that is not needed any more, `writer`
    is the connector that sent it, and `watermark_ms` the last watermark by then; `seqs` say where
    each connector stood. `writer` is `None` where that is not known.
    """

    ordinal: int
    time_ms: int
    bid: float
    seqs: Mapping[str, int]
    writer: str | None = None
    watermark_ms: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """Where a symbol's record stands. `writer` sent its last tick; times are 0 before the first."""

    ordinal: int = 0
    time_ms: int = 0
    bid: float = 0.0
    watermark_ms: int = 0
    writer: str | None = None
    seqs: Mapping[str, int] = field(default_factory=dict)
    holder: Holder | None = None

    @classmethod
    def at(cls, mark: Mark) -> "Position":
        """Return the position that a mark remembers."""
        only_one = next(iter(mark.seqs)) if len(mark.seqs) == 1 else None
        return cls(
            ordinal=mark.ordinal,
            time_ms=mark.time_ms,
            bid=mark.bid,
            watermark_ms=mark.watermark_ms,
            writer=mark.writer or only_one,
            seqs=dict(mark.seqs),
        )

    def seq(self, connector: str) -> int:
        """Return the connector's last `seq` that was dealt with, 0 where there is none."""
        return self.seqs.get(connector, 0)


@dataclass(frozen=True, slots=True)
class Run:
    """Rows that came together; `seq` is the first row's, `None` where the connector counts none."""

    seq: int | None
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a symbol's record.

    `ticks` are the accepted ones, numbered; `seq` is the connector's last one dealt with then.
    `refusals` count the refused ticks by reason, and `first_refusal` tells of one of them.
    `known` ticks had come before, `earlier` ones belong to another connector's turn, and `missing`
    ones were never sent. `decides` where a decision may follow from it: a candle ends, or the first
    tick comes after a candle that a watermark ended.
    """

    position: Position
    ticks: Ticks
    seq: int
    watermark_ms: int | None = None
    refusals: Mapping[BadTick, int] = field(default_factory=dict)
    first_refusal: Refusal | None = None
    first_refused_seq: int | None = None
    known: int = 0
    earlier: int = 0
    missing: int = 0
    decides: bool = False


def step(
    position: Position,
    connector: str,
    runs: Sequence[Run],
    watermark_ms: int | None,
    quote_filter: QuoteFilter,
    now_ms: int | None,
) -> Step:
    """Return what follows from a connector's runs, and then its watermark, at this position.

    Ticks whose `seq` was dealt with are left out. After a change of connectors the new one's ticks
    count from the first one on that is later than the last stored. ``now_ms`` `None` lets ticks
    be as far ahead as they like.
    """
    fresh = _unknown(position.seq(connector), runs)
    quotes = _columns([row for run in fresh.runs for row in run.rows])
    earlier = _earlier(position, connector, quotes)
    newest = LastGood(max(position.time_ms, position.watermark_ms), position.bid)
    checked = quote_filter.check(quotes.part(earlier), newest, now_ms)
    accepted = checked.quotes
    ticks = Ticks(position.ordinal + 1, accepted.time_ms, accepted.bid, accepted.ask)
    after = replace(position, seqs={**position.seqs, connector: fresh.seq})
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
    return Step(
        position=replace(after, watermark_ms=closing) if closing is not None else after,
        ticks=ticks,
        seq=fresh.seq,
        watermark_ms=closing,
        refusals=checked.reasons if first is not None else {},
        first_refusal=first,
        first_refused_seq=None if first is None else _seq_at(fresh.runs, earlier + first.place),
        known=fresh.known,
        earlier=earlier,
        missing=fresh.missing,
        decides=closing is not None or _begins_a_candle(position, after),
    )


@dataclass(frozen=True, slots=True)
class _Fresh:
    runs: Sequence[Run]
    seq: int
    known: int
    missing: int


def _unknown(seq: int, runs: Sequence[Run]) -> _Fresh:
    """Return the runs without the rows that have a ``seq`` up to the given one."""
    fresh: list[Run] = []
    known = missing = 0
    for run in runs:
        count = len(run.rows)
        if run.seq is None:
            fresh.append(run)
            continue
        overlap = min(max(seq + 1 - run.seq, 0), count)
        missing += max(run.seq - seq - 1, 0) if count else 0
        known += overlap
        if overlap < count:
            fresh.append(Run(run.seq + overlap, run.rows[overlap:]) if overlap else run)
            seq = run.seq + count - 1
    return _Fresh(fresh, seq, known, missing)


def _columns(rows: Sequence[Row]) -> Quotes:
    count = len(rows)
    ask = np.fromiter((row.ask for row in rows), np.float64, count)
    return Quotes(
        np.fromiter((row.time_ms for row in rows), np.int64, count),
        np.fromiter((row.bid for row in rows), np.float64, count),
        # The filter knows no largest price; one that cannot be kept counts as infinite.
        np.where(ask > MAXIMUM_PRICE, np.inf, ask),
    )


def _earlier(position: Position, connector: str, quotes: Quotes) -> int:
    """Return how many leading quotes lie before the new connector's turn."""
    if position.writer == connector or position.ordinal == 0 or not len(quotes):
        return 0
    later = quotes.time_ms > position.time_ms
    return int(np.argmax(later)) if later.any() else len(quotes)


def _closes_a_candle(position: Position, watermark_ms: int | None) -> bool:
    """Return whether the watermark passes the end of a candle that may still be forming."""
    if watermark_ms is None or position.ordinal == 0:
        return False
    passed = max(position.time_ms, position.watermark_ms)
    return watermark_ms // _SHORTEST_MS > passed // _SHORTEST_MS


def _begins_a_candle(before: Position, after: Position) -> bool:
    """Return whether a tick came behind the end of the last tick's candle, or behind a watermark's.

    So does the very first.
    """
    if after.ordinal == before.ordinal:
        return False
    is_later = after.time_ms // _SHORTEST_MS > before.time_ms // _SHORTEST_MS
    return is_later or before.ordinal == 0 or before.watermark_ms > before.time_ms


def _seq_at(runs: Sequence[Run], place: int) -> int | None:
    """Return the seq of the row at ``place`` among all rows of the runs."""
    ends = accumulate(len(run.rows) for run in runs)
    for run, end in zip(runs, ends, strict=True):
        if place < end:
            return None if run.seq is None else run.seq + place - (end - len(run.rows))
    return None
