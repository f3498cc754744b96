"""From the stream to candles: one transaction moves the position with all that follows from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import structlog
from django.db import transaction

from signals_app.market import aggregation, calendar
from signals_app.market.aggregation import ClosedCandle, Forming
from signals_app.market.candle import TIMEFRAMES, Candle, Timeframe
from signals_app.market.tick import Ticks
from signals_app.models import Analysis, Decision, PriceCandle, StreamPosition
from signals_app.pipeline import stream
from signals_app.pipeline.ports import trade_book
from signals_app.pipeline.stream import StreamEntry
from signals_app.services.instruments import ensure_instrument

log = structlog.get_logger(__name__)

#: As many ticks of a millisecond as the gateway compares.
_LONGEST_TAIL = 1000

#: What is still to be analysed: timeframe and end of the candle.
Close = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Built:
    """What one transaction used, the closes to analyse, and whether a close got its entry tick.

    `is_last` says whether the stream held no further entry; `received_ms` is the gateway's clock
    when the first of these closes came, if it is known.
    """

    ticks: int
    closes: tuple[Close, ...]
    gave_entry: bool
    is_last: bool
    received_ms: int | None = None


def candle_id(symbol: str, closes: Sequence[Close]) -> str:
    """How logs name closes: `XAUUSD M15,H1 2026-01-30T10:00:00Z`, or a span of them."""
    if not closes:
        return symbol
    ends = sorted({end for _, end in closes})
    timeframes = sorted({Timeframe(name) for name, _ in closes}, key=lambda one: one.milliseconds)
    moments = "..".join(calendar.iso(end) for end in dict.fromkeys((ends[0], ends[-1])))
    return f"{symbol} {','.join(timeframes)} {moments}"


#: What a decision gets with its entry tick.
_ENTRY_FIELDS = ("entry_ordinal", "entry_time_ms", "entry_bid", "entry_ask", "checkpoint")


@dataclass(slots=True)
class _Batch:
    """The consequences of some stream entries, gathered before they are written at once."""

    closed: list[ClosedCandle] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    closes: list[Close] = field(default_factory=list)
    gave_entry: bool = False
    received_ms: int | None = None


def build_batch(symbol: str) -> Built | None:
    """Use the next stream entries of a symbol; return `None` where there are none.

    Candles, trades moved by these ticks, decisions to be made and the position are committed
    together. Whoever comes while another works waits for the lock and then finds a later position.
    """
    try:
        return _build_batch(symbol)
    except StreamPosition.DoesNotExist:
        StreamPosition.objects.get_or_create(instrument=symbol)
        return _build_batch(symbol)


def _build_batch(symbol: str) -> Built | None:
    with transaction.atomic():
        position = StreamPosition.objects.select_for_update().get(instrument=symbol)
        entries, is_last = stream.read_batch(symbol, position.entry_id)
        if not entries:
            return None
        batch = _Batch()
        runs: list[Ticks] = []
        for entry in entries:
            ticks = _unused(entry, position)
            if ticks is not None:
                _use_ticks(position, entry, ticks, batch)
                runs.append(ticks)
            elif entry.watermark_ms is not None:
                _use_watermark(position, entry.watermark_ms, batch)
            if batch.closes and batch.received_ms is None:
                batch.received_ms = entry.received_ms
            position.entry_id = entry.entry_id
        if runs:
            trade_book().move(symbol, Ticks.join(runs))
        _write(symbol, batch)
        position.save()
    return Built(
        ticks=sum(map(len, runs)),
        closes=tuple(batch.closes),
        gave_entry=batch.gave_entry,
        is_last=is_last,
        received_ms=batch.received_ms,
    )


def _unused(entry: StreamEntry, position: StreamPosition) -> Ticks | None:
    """The entry's ticks above the position; raise where one before them is missing."""
    if entry.ticks is None:
        return None
    if entry.ticks.first_ordinal > position.ordinal + 1:
        raise stream.TicksMissing(
            f"{position.instrument}: the stream goes on at tick {entry.ticks.first_ordinal}, "
            f"used are {position.ordinal}"
        )
    ticks = entry.ticks.after(position.ordinal)
    # A watermark promised that no tick before it was still to come; closed candles stay closed.
    return replace(ticks, time_ms=np.maximum(ticks.time_ms, position.watermark_ms))


def _use_ticks(position: StreamPosition, entry: StreamEntry, ticks: Ticks, batch: _Batch) -> None:
    checkpoint = position.checkpoint()
    if len(ticks):
        if position.ordinal == 0:
            _begin(position, int(ticks.time_ms[0]), batch)
        forming, closed = aggregation.aggregate(_forming(position), ticks)
        _close(position, closed, ticks, checkpoint, batch)
        position.forming = _as_json(forming)
        last = ticks[len(ticks) - 1]
        position.tail = _tail(position, ticks, entry.sender)
        position.ordinal, position.time_ms = last.ordinal, last.time_ms
        position.bid, position.ask = last.bid, last.ask
        position.writer = entry.connector
    position.seqs = {**position.seqs, entry.connector: entry.seq}


def _tail(position: StreamPosition, ticks: Ticks, sender: str) -> list[list[Any]]:
    """All ticks of the last one's millisecond: should Redis be lost, they are known by content."""
    last_ms = ticks.time_ms[-1]
    first = int(np.searchsorted(ticks.time_ms, last_ms, side="left"))
    pairs = zip(ticks.bid[first:].tolist(), ticks.ask[first:].tolist(), strict=True)
    before = position.tail if last_ms == position.time_ms and position.ordinal else []
    return [*before, *([bid, ask, [sender]] for bid, ask in pairs)][-_LONGEST_TAIL:]


def _use_watermark(position: StreamPosition, watermark_ms: int, batch: _Batch) -> None:
    forming, closed = aggregation.close_until(_forming(position), watermark_ms)
    _close(position, closed, None, {}, batch)
    position.forming = _as_json(forming)
    position.watermark_ms = max(position.watermark_ms, watermark_ms)


def _begin(position: StreamPosition, first_time_ms: int, batch: _Batch) -> None:
    """Set where the symbol's own ticks begin: history counts only up to there."""
    ensure_instrument(position.instrument)
    position.first_time_ms = first_time_ms
    history = PriceCandle.objects.filter(instrument=position.instrument)
    for timeframe in TIMEFRAMES:
        earliest_open = calendar.utc(first_time_ms - timeframe.milliseconds)
        of_timeframe = history.filter(timeframe=timeframe)
        of_timeframe.filter(timestamp__gt=earliest_open).delete()
        newest = of_timeframe.order_by("-timestamp").first()
        if newest is not None:
            end = calendar.milliseconds(newest.timestamp) + timeframe.milliseconds
            position.closed[timeframe] = end
            batch.closes.append((timeframe, end))


def _close(
    position: StreamPosition,
    closed: list[ClosedCandle],
    ticks: Ticks | None,
    checkpoint: dict[str, Any],
    batch: _Batch,
) -> None:
    """Note closed candles, and one decision for each M15 close.

    ``ticks`` hold the tick that closed them; `None` where a watermark did. Decisions that wait for
    their entry tick get the first of these ticks.
    """
    if ticks is not None:
        _give_entry(position, ticks, checkpoint, batch)
    batch.closed += closed
    for candle in closed:
        position.closed[candle.timeframe] = candle.close_time_ms
        batch.closes.append((candle.timeframe, candle.close_time_ms))
        if candle.timeframe is not Timeframe.M15:
            continue
        # An H1 or H4 candle that ends with this M15 candle belongs to its windows.
        ends = {
            timeframe: _latest_end(position, closed, timeframe, candle.close_time_ms)
            for timeframe in (Timeframe.H1, Timeframe.H4)
        }
        decision = Decision(
            instrument=position.instrument,
            close_time_ms=candle.close_time_ms,
            h1_close_ms=ends[Timeframe.H1],
            h4_close_ms=ends[Timeframe.H4],
        )
        if ticks is not None and candle.closed_by is not None:
            _set_entry(decision, ticks, candle.closed_by - ticks.first_ordinal, checkpoint)
        batch.decisions.append(decision)


def _latest_end(
    position: StreamPosition, closed: list[ClosedCandle], timeframe: Timeframe, until_ms: int
) -> int | None:
    ends = [
        candle.close_time_ms
        for candle in closed
        if candle.timeframe is timeframe and candle.close_time_ms <= until_ms
    ]
    earlier: int | None = position.closed.get(timeframe)
    return max(ends) if ends else earlier


def _give_entry(
    position: StreamPosition, ticks: Ticks, checkpoint: dict[str, Any], batch: _Batch
) -> None:
    """Give the first tick to the decisions whose candle a watermark closed before it."""
    if position.watermark_ms <= position.time_ms:
        return
    stored = Decision.objects.open(position.instrument).filter(entry_ordinal=None)
    for decision in (*stored, *(d for d in batch.decisions if d.entry_ordinal is None)):
        _set_entry(decision, ticks, 0, checkpoint)
        batch.gave_entry = True
        if decision.pk is not None:
            decision.save(
                update_fields=(
                    "entry_ordinal",
                    "entry_time_ms",
                    "entry_bid",
                    "entry_ask",
                    "checkpoint",
                )
            )


def _set_entry(decision: Decision, ticks: Ticks, place: int, checkpoint: dict[str, Any]) -> None:
    tick = ticks[place]
    decision.entry_ordinal, decision.entry_time_ms = tick.ordinal, tick.time_ms
    decision.entry_bid, decision.entry_ask = tick.bid, tick.ask
    decision.checkpoint = checkpoint


def _write(symbol: str, batch: _Batch) -> None:
    rows = [
        row
        for closed in batch.closed
        for row in PriceCandle.of(
            symbol, closed.timeframe, [closed.candle], PriceCandle.Source.TICKS
        )
    ]
    PriceCandle.objects.bulk_create(rows, batch_size=1000)
    Decision.objects.bulk_create(batch.decisions, batch_size=1000)
    Analysis.objects.bulk_create(
        [
            Analysis(instrument=symbol, timeframe=timeframe, close_time_ms=close_ms)
            for timeframe, close_ms in batch.closes
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )


def _forming(position: StreamPosition) -> Forming:
    return {Timeframe(key): Candle(*row) for key, row in position.forming.items()}


def _as_json(forming: Forming) -> dict[str, list[float]]:
    return {
        timeframe.value: [c.time_ms, c.open, c.high, c.low, c.close, c.volume]
        for timeframe, c in forming.items()
    }


def needed_ordinals(symbol: str) -> Iterator[int]:
    """Yield the ticks that the stream must still hold: unused ones, those of open decisions, and
    what others of the project need.
    """
    position = StreamPosition.objects.filter(instrument=symbol).first()
    if position is not None:
        yield position.ordinal
    for ordinal in Decision.objects.open(symbol).values_list("entry_ordinal", flat=True)[:1]:
        if ordinal is not None:
            yield ordinal
    yield from trade_book().needed_ordinals(symbol)


def has_unread(symbol: str) -> bool:
    """Whether the stream holds entries behind the position."""
    position = StreamPosition.objects.filter(instrument=symbol).first()
    used = position.entry_id if position is not None else "0-0"
    return stream.is_after(stream.last_entry_id(symbol), used)
