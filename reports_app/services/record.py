"""The record and its proof: days are sealed once, and everything can be computed again.

Each instrument's signals are one chain; each trade's events are a chain that begins at its
signal; each day's digest covers the links of its signals and events and the digest before. None of
it depends on when workers wrote what.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from django.db import connection, transaction
from django.db.models import Min

from reports_app.models import RecordDay
from signals_app.confluence.record import BEGINNING, signal_link
from signals_app.market import calendar
from signals_app.models import Decision, Signal, Strategy, StreamPosition
from signals_app.services.decisions import parameters_of, signal_value
from signals_app.services.locks import lock_decisions
from trades_app.lifecycle.machine import EventKind
from trades_app.lifecycle.record import day_digest, event_link
from trades_app.models import Trade, TradeEvent
from trades_app.services import event_value

log = structlog.get_logger(__name__)

_DAY = dt.timedelta(days=1)


class Broken(Exception):  # noqa: N818 - the record is
    """The first place where the record does not hold, in one sentence."""


class Entry(NamedTuple):
    """A link, in the order of the record: by time, tick, id, and a signal before its events."""

    time_ms: int
    ordinal: int
    signal_id: str
    number: int
    link: str


@dataclass(frozen=True, slots=True)
class Proof:
    """One instrument's record that holds: how much there is, and the link that stands for all.

    `head` is the digest of all days, the last one as far as it has come. `unlinked` entries are
    older than the record.
    """

    instrument: str
    signals: int
    events: int
    days: int
    unlinked: int
    head: str


def days_to_seal(instrument: str) -> list[dt.date]:
    """Return the days with entries to which nothing can be added any more, oldest first."""
    end = closed_until(instrument)
    if end is None:
        return []
    sealed = _last_sealed(instrument)
    return [day for day in _days(instrument, after=sealed.date if sealed else None) if day < end]


def closed_until(instrument: str) -> dt.date | None:
    """Return the day up to which, itself excluded, nothing can be added to the record.

    By the stream's own time: a day is over when a tick or watermark of a later one was used and
    every close of it is decided and its trade open. `None` where there is no stream.
    """
    position = StreamPosition.objects.filter(symbol=instrument).first()
    if position is None:
        return None
    now_ms = max(position.time_ms, position.watermark_ms)
    end = calendar.utc(now_ms).date()
    # A close that got no entry tick in time will be refused whenever one comes.
    delay_ms = parameters_of(Strategy.objects.live()).maximum_entry_delay_ms
    waiting = Decision.objects.open(instrument).exclude(
        outcome=Decision.Outcome.PENDING,
        entry_ordinal=None,
        close_time_ms__lt=now_ms - delay_ms,
    )
    earliest = waiting.aggregate(ms=Min("close_time_ms"))["ms"]
    return end if earliest is None else min(end, calendar.utc(earliest).date())


def seal_days(instrument: str) -> list[RecordDay]:
    """Write the digests of the days that are over; return them, oldest first."""
    if not days_to_seal(instrument):
        return []
    with transaction.atomic():
        # No decision may come in between, and no other sealing.
        lock_decisions(instrument)
        sealed = []
        for day in days_to_seal(instrument):
            last = _last_sealed(instrument)
            previous = last.digest if last else BEGINNING
            entries = _entries(instrument, day)
            sealed.append(
                RecordDay.objects.create(
                    instrument=instrument,
                    date=day,
                    signals=sum(not entry.number for entry in entries),
                    events=sum(bool(entry.number) for entry in entries),
                    previous=previous,
                    digest=_digest(previous, instrument, day, entries),
                )
            )
    for row in sealed:
        log.info("day_sealed", instrument=instrument, date=str(row.date), digest=row.digest)
    return sealed


def verify() -> list[Proof]:
    """Compute the whole record again; raise `Broken` where it does not hold.

    In one snapshot of the database, so that it can run while signals are made.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        instruments = {
            *Signal.objects.order_by().values_list("instrument", flat=True).distinct(),
            *RecordDay.objects.order_by().values_list("instrument", flat=True).distinct(),
        }
        return [_verify(instrument) for instrument in sorted(instruments)]


def _verify(instrument: str) -> Proof:
    signals, unlinked_signals = _verify_signals(instrument)
    events, unlinked_events = _verify_events(instrument)
    days, head = _verify_days(instrument)
    return Proof(instrument, signals, events, days, unlinked_signals + unlinked_events, head)


def _verify_signals(instrument: str) -> tuple[int, int]:
    last, linked, unlinked = BEGINNING, 0, 0
    rows = Signal.objects.filter(instrument=instrument).order_by("timestamp", "signal_id")
    for row in rows.iterator():
        if not row.record_hash and not linked:
            unlinked += 1
            continue
        if not row.record_hash:
            raise Broken(f"Signal {row.signal_id} has no link: it was put in.")
        expected = signal_link(last, signal_value(row))
        if row.record_hash != expected:
            raise Broken(
                f"Signal {row.signal_id} does not follow from the one before it: it was changed, "
                "or one before it was removed, put in or back-dated."
            )
        last, linked = expected, linked + 1
    return linked, unlinked


def _verify_events(instrument: str) -> tuple[int, int]:
    linked = unlinked = 0
    _require_trades(instrument)
    trades = Trade.objects.filter(instrument=instrument).select_related("signal")
    for trade in trades.order_by("entry_ordinal").prefetch_related("events").iterator(500):
        events = sorted(trade.events.all(), key=lambda event: event.number)
        last = trade.signal.record_hash
        if not last and not any(event.record_hash for event in events):
            unlinked += len(events)
            continue
        for number, event in enumerate(events, 1):
            if not event.record_hash and not last:
                unlinked += 1
                continue
            expected = event_link(last, trade.signal_id, number, event_value(event))
            if event.number != number or event.record_hash != expected:
                raise Broken(
                    f"Event {event.number} ({event.kind}) of {trade.signal_id} does not follow "
                    "from what is before it: it was changed, or one before was removed or put in."
                )
            last, linked = expected, linked + 1
        _require_agreement(trade, events)
    return linked, unlinked


def _require_trades(instrument: str) -> None:
    """Raise where a signal has no trade, and none is being opened."""
    without = Signal.objects.filter(instrument=instrument, trade=None)
    for signal in without.order_by("timestamp"):
        is_opening = Decision.objects.filter(
            symbol=instrument,
            close_time_ms=calendar.milliseconds(signal.timestamp),
            outcome=Decision.Outcome.OPENING,
        ).exists()
        if signal.record_hash and not is_opening:
            raise Broken(f"The trade of {signal.signal_id} was removed.")


def _require_agreement(trade: Trade, events: Sequence[TradeEvent]) -> None:
    """Raise where a trade's row says something else than its events."""
    if not events:
        raise Broken(f"The events of {trade.signal_id} were removed.")
    last = events[-1]
    is_closed = last.kind == EventKind.CLOSED
    told: dict[str, tuple[object, object]] = {
        "status": (trade.status, last.after),
        "profit_loss": (trade.profit_loss, sum(event.profit for event in events)),
        "stop_loss": (trade.stop_loss, last.stop_loss),
        "exit_reason": (trade.exit_reason, events[-2].kind if is_closed else ""),
        "exit_time": (trade.exit_time, last.time if is_closed else None),
        "exit_price": (trade.exit_price, events[-2].price if is_closed else None),
    }
    if last.kind != EventKind.CANCELLED:
        told["entry_time"] = trade.entry_time, events[0].time
        told["entry_price"] = trade.entry_price, events[0].price
        told["lots"] = trade.lots, events[0].lots
    for name, (stands, follows) in told.items():
        if stands != follows:
            raise Broken(
                f"The trade of {trade.signal_id} says {name} {stands}, its events say {follows}: "
                "its row was changed, or its last events were removed."
            )


def _verify_days(instrument: str) -> tuple[int, str]:
    previous, sealed = BEGINNING, 0
    entered = _days(instrument, after=None)
    rows = list(RecordDay.objects.filter(instrument=instrument).order_by("date"))
    for row in rows:
        _require_sealed(instrument, entered, row.date, sealed_days={each.date for each in rows})
        entries = _entries(instrument, row.date)
        if row.previous != previous:
            raise Broken(
                f"{instrument}: the digest of {row.date} does not follow from the one before it: "
                "a day was removed or put in."
            )
        if row.digest != _digest(previous, instrument, row.date, entries):
            raise Broken(
                f"{instrument}: the digest of {row.date} is not that of its {len(entries)} entries "
                f"(it was {row.signals + row.events}): one was removed, changed or back-dated."
            )
        previous, sealed = row.digest, sealed + 1
    for day in entered:
        if not rows or day > rows[-1].date:
            previous = _digest(previous, instrument, day, _entries(instrument, day))
    return sealed, previous


def _require_sealed(
    instrument: str, entered: Sequence[dt.date], until: dt.date, *, sealed_days: set[dt.date]
) -> None:
    for day in entered:
        if day < until and day not in sealed_days:
            raise Broken(
                f"{instrument}: {day} has entries but no digest, and later days have one: "
                "they were back-dated, or the digest was removed."
            )


def _last_sealed(instrument: str) -> RecordDay | None:
    return RecordDay.objects.filter(instrument=instrument).order_by("-date").first()


def _days(instrument: str, *, after: dt.date | None) -> list[dt.date]:
    """Return the UTC days behind ``after`` that hold linked entries, oldest first."""
    signals = Signal.objects.filter(instrument=instrument).exclude(record_hash="")
    events = TradeEvent.objects.filter(trade__instrument=instrument).exclude(record_hash="")
    if after is not None:
        start = _midnight(after + _DAY)
        signals, events = signals.filter(timestamp__gte=start), events.filter(time__gte=start)
    found = {
        *signals.order_by().values_list("timestamp__date", flat=True).distinct(),
        *events.order_by().values_list("time__date", flat=True).distinct(),
    }
    return sorted(found)


def _entries(instrument: str, day: dt.date) -> list[Entry]:
    """Return the linked entries of a UTC day in the order of the record."""
    # Both ends of a range belong to it; times are whole milliseconds at the finest.
    span = (_midnight(day), _midnight(day + _DAY) - dt.timedelta(microseconds=1))
    signals = Signal.objects.filter(instrument=instrument, timestamp__range=span)
    events = TradeEvent.objects.filter(trade__instrument=instrument, time__range=span)
    return sorted(
        [
            *(
                Entry(
                    calendar.milliseconds(row.timestamp),
                    row.entry_ordinal,
                    row.signal_id,
                    0,
                    row.record_hash,
                )
                for row in signals.exclude(record_hash="")
            ),
            *(
                Entry(
                    calendar.milliseconds(row.time),
                    row.ordinal,
                    row.trade.signal_id,
                    row.number,
                    row.record_hash,
                )
                for row in events.exclude(record_hash="").select_related("trade")
            ),
        ]
    )


def _digest(previous: str, instrument: str, day: dt.date, entries: Sequence[Entry]) -> str:
    return day_digest(previous, instrument, day, [entry.link for entry in entries])


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)
