"""Proof of days: the digests that were sealed, and those that were published in reports."""

import datetime as dt
from collections.abc import Sequence

from reports_app.models import RecordDay
from reports_app.performance.statistics import Period
from reports_app.track_record.violation import Violation, read_value
from signals_app.confluence.hash_chain import BEGINNING
from trades_app.lifecycle.hash_chain import Day
from trades_app.models import Message


def require_sealed_days(instrument: str, days: Sequence[Day]) -> int:
    """Return how many days are sealed; raise `Violation` where ``days`` say otherwise."""
    rows = list(RecordDay.objects.filter(instrument=instrument).order_by("date"))
    entered = {day.date: day for day in days}
    sealed = {row.date for row in rows}
    for day in days:
        if rows and day.date < rows[-1].date and day.date not in sealed:
            raise Violation(
                f"{instrument}: {day.date} has entries but no digest, and later days have one: "
                "they were back-dated, or the digest was removed."
            )
    previous = BEGINNING
    for row in rows:
        if row.previous != previous:
            raise Violation(
                f"{instrument}: the digest of {row.date} does not follow from the one before it: "
                "a day was removed or put in."
            )
        found = entered.get(row.date)
        if found is None or row.digest != found.digest:
            number = len(found.entries) if found else 0
            raise Violation(
                f"{instrument}: the digest of {row.date} is not that of its {number} entries "
                f"(it was {row.signals + row.events}): one was removed, changed or back-dated."
            )
        if (row.signals, row.events) != (found.signals, found.events):
            raise Violation(
                f"{instrument}: {row.date} says {row.signals} signals and {row.events} events, "
                f"its digest covers {found.signals} and {found.events}."
            )
        previous = row.digest
    return len(rows)


def require_published_digests(instrument: str, days: Sequence[Day]) -> None:
    """Raise `Violation` where a report has published another digest than ``days`` have."""
    reports = Message.objects.filter(kind=Message.Kind.REPORT, instrument=instrument)
    for key, digest in reports.order_by("pk").values_list("key", "digest").iterator():
        _, _, period, first_day = read_value(f"The report {key}", lambda key: key.split(":"), key)
        last_day = Period(period).last_day(dt.date.fromisoformat(first_day))
        if not digest:
            raise Violation(f"The report {key} names no digest: its text was changed.")
        until = [day for day in days if day.date <= last_day]
        if not until or until[-1].digest != digest:
            stands = f"is {until[-1].digest}" if until else "has nothing until then"
            raise Violation(
                f"{instrument}: followers were told of the digest {digest} at the end of "
                f"{last_day}, the record {stands}: its last days were removed or made anew."
            )
