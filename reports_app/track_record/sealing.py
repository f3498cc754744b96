"""The track record's days: each is sealed once, when nothing can be added to it any more.

Each instrument's signals are one chain; each trade's events are a chain that begins at its
signal; each day's digest covers the links of its signals and events and the digest before. None of
it depends on when workers wrote what. A seal counts the day and covers what it stands on
(`evidence`). `proof` computes all of it again.
"""

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import Min

from reports_app.models import RecordDay, RecordSeal
from reports_app.track_record import evidence
from reports_app.track_record.evidence import Span
from signals_app.confluence.hash_chain import BEGINNING
from signals_app.market import calendar
from signals_app.models import Decision, Signal, Strategy, StreamPosition
from signals_app.services.locks import lock_decisions
from trades_app.lifecycle.hash_chain import Entry, day_digest
from trades_app.models import TradeEvent

log = structlog.get_logger(__name__)

_DAY = dt.timedelta(days=1)


def days_to_seal(instrument: str) -> list[dt.date]:
    """The days with entries to which nothing can be added any more, oldest first."""
    end = closed_until(instrument)
    if end is None:
        return []
    sealed = _last_sealed(instrument)
    return [day for day in _days(instrument, after=sealed.date if sealed else None) if day < end]


def closed_until(instrument: str) -> dt.date | None:
    """The day up to which, itself excluded, nothing can be added to the track record.

    By the stream's own time: a day is over when a tick or watermark of a later one was used and
    every close of it is decided and its trade open. `None` where there is no stream.
    """
    position = StreamPosition.objects.filter(instrument=instrument).first()
    if position is None:
        return None
    now_ms = max(position.time_ms, position.watermark_ms)
    end = calendar.utc(now_ms).date()
    # A close that got no entry tick in time will be refused whenever one comes.
    delay_ms = Strategy.objects.live().value().maximum_entry_delay_ms
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
            digest = day_digest(previous, instrument, day, [entry.link for entry in entries])
            row = RecordDay.objects.create(
                instrument=instrument,
                date=day,
                signals=sum(not entry.number for entry in entries),
                events=sum(bool(entry.number) for entry in entries),
                previous=previous,
                digest=digest,
            )
            _seal_evidence(row)
            sealed.append(row)
    for row in sealed:
        log.info("day_sealed", instrument=instrument, date=str(row.date), digest=row.digest)
    return sealed


def _seal_evidence(day: RecordDay) -> None:
    """Count the day, and link what stands behind it and behind the days since the last seal."""
    last = RecordSeal.objects.filter(instrument=day.instrument).order_by("-number").first()
    span = Span(
        instrument=day.instrument,
        number=RecordDay.objects.filter(instrument=day.instrument, date__lte=day.date).count(),
        after=last.date if last else None,
        until=day.date,
    )
    if last is not None and last.number >= span.number:
        # Somebody removed days: they are sealed as before, and the proof compares.
        log.warning("day_was_sealed_before", instrument=day.instrument, date=str(day.date))
        return
    evidence.claim(span)
    parts = evidence.covered(span)
    previous = last.link if last else BEGINNING
    RecordSeal.objects.create(
        instrument=span.instrument,
        number=span.number,
        date=span.until,
        day_digest=day.digest,
        covered=parts,
        previous=previous,
        link=evidence.seal_link(previous, span, day.digest, parts),
    )


def _last_sealed(instrument: str) -> RecordDay | None:
    return RecordDay.objects.filter(instrument=instrument).order_by("-date").first()


def _days(instrument: str, *, after: dt.date | None) -> list[dt.date]:
    """The UTC days behind ``after`` that hold entries, oldest first."""
    signals = Signal.objects.filter(instrument=instrument)
    events = TradeEvent.objects.filter(trade__signal__instrument=instrument)
    if after is not None:
        start = calendar.midnight(after + _DAY)
        signals, events = signals.filter(timestamp__gte=start), events.filter(time__gte=start)
    found = {
        *signals.order_by().values_list("timestamp__date", flat=True).distinct(),
        *events.order_by().values_list("time__date", flat=True).distinct(),
    }
    return sorted(found)


def _entries(instrument: str, day: dt.date) -> list[Entry]:
    """The entries of a UTC day as they are linked, in the order of `Entry`."""
    # Both ends of a range belong to it; times are whole milliseconds at the finest.
    span = (calendar.midnight(day), calendar.midnight(day + _DAY) - dt.timedelta(microseconds=1))
    signals = Signal.objects.filter(instrument=instrument, timestamp__range=span)
    events = TradeEvent.objects.filter(trade__signal__instrument=instrument, time__range=span)
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
                for row in signals
            ),
            *(
                Entry(
                    calendar.milliseconds(row.time),
                    row.ordinal,
                    row.trade.signal_id,
                    row.number,
                    row.record_hash,
                )
                for row in events.select_related("trade")
            ),
        ]
    )
