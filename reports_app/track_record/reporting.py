"""When a day is over: its digest, its figures, and the reports of what ended with it."""

import datetime as dt

import structlog
from django.db import transaction

from reports_app.models import RecordDay, RecordPublication
from reports_app.performance.statistics import Period
from reports_app.rendering.period_report import PeriodReport
from reports_app.track_record import sealing
from reports_app.track_record.performance import PERIODS, recompute, results
from signals_app.market import calendar
from signals_app.services.connectors import is_simulated
from trades_app.models import Message
from trades_app.notifications import outbox
from trades_app.notifications.outbox import Draft, Subject

log = structlog.get_logger(__name__)

#: A report that was not written when its period ended is made up for so long.
_MADE_UP_FOR = dt.timedelta(days=70)


def report(instrument: str) -> int:
    """Seal the days that are over, put the reports that are due into the outbox; return how many.

    Each period has one report, by its message's key, and only if it has entries in the record.
    """
    # Before sealing: a day that ends meanwhile is over, and its digest is not there yet.
    end = sealing.closed_until(instrument)
    if end is None:
        return 0
    sealed = sealing.seal_days(instrument)
    if sealed:
        recompute(since=sealed[0].date, instrument=instrument)
    due = _due(instrument, end, oldest_sealed=sealed[0].date if sealed else None)
    if not due:
        return 0
    drafts = [_draft(instrument, period, first_day) for period, first_day in due]
    with transaction.atomic():
        outbox.put_all(drafts)
        RecordPublication.objects.bulk_create(
            [
                RecordPublication(instrument=instrument, key=draft.key, digest=draft.data.digest)
                for draft in drafts
            ],
            ignore_conflicts=True,
        )
    log.info("reports_written", instrument=instrument, reports=len(due))
    return len(due)


def _due(
    instrument: str, end: dt.date, *, oldest_sealed: dt.date | None
) -> list[tuple[Period, dt.date]]:
    """The periods that ended before ``end`` and have no report yet, in the order of their ends."""
    since = end - _MADE_UP_FOR
    if oldest_sealed is not None:
        since = min(since, *(period.beginning(oldest_sealed) for period in PERIODS))
    days = RecordDay.objects.filter(instrument=instrument, date__gte=since)
    periods = {
        (period, period.beginning(day))
        for day in days.values_list("date", flat=True)
        for period in PERIODS
    }
    over = {
        _key(instrument, period, first_day): (period, first_day)
        for period, first_day in periods
        if period.last_day(first_day) < end
    }
    written = outbox.known(over)
    return sorted(
        (period for key, period in over.items() if key not in written),
        key=lambda due: (due[0].last_day(due[1]), PERIODS.index(due[0])),
    )


def _draft(instrument: str, period: Period, first_day: dt.date) -> Draft:
    last = period.last_day(first_day)
    days = RecordDay.objects.filter(instrument=instrument, date__lte=last).order_by("-date")
    found = results(since=first_day, before=last + dt.timedelta(days=1), instrument=instrument)
    report = PeriodReport(
        instrument=instrument,
        period=period,
        first_day=first_day,
        results=tuple(found),
        digest=days.values_list("digest", flat=True)[0],
        is_simulated=is_simulated(instrument),
    )
    key = _key(instrument, period, first_day)
    over_at = calendar.midnight(last + dt.timedelta(days=1))
    return Draft(Message.Kind.REPORT, Subject(instrument), key, report, happened_at=over_at)


def _key(instrument: str, period: Period, first_day: dt.date) -> str:
    return f"report:{instrument}:{period}:{first_day}"
