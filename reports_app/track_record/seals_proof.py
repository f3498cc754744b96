"""Proof of seals: days are counted, and what stood behind each of them is as it was."""

from collections.abc import Sequence

from reports_app.models import RecordDay, RecordPublication, RecordSeal
from reports_app.track_record.evidence import Span, covered, seal_link
from reports_app.track_record.violation import Violation
from signals_app.confluence.hash_chain import BEGINNING
from signals_app.market.calendar import iso, utc
from signals_app.models import Decision, Signal
from trades_app.models import Message

#: What comes of a close that makes a signal.
DECIDED_FOR_SIGNAL = (Decision.Outcome.SIGNAL, Decision.Outcome.OPENING)


def require_seals(instrument: str) -> int:
    """Return how many seals an instrument has; raise `Violation` where one does not hold.

    Days that an earlier version sealed have none; they stand before the first.
    """
    seals = list(RecordSeal.objects.filter(instrument=instrument).order_by("number"))
    days = list(RecordDay.objects.filter(instrument=instrument).order_by("date"))
    _require_marks(instrument, {seal.number for seal in seals})
    previous, after = BEGINNING, None
    for place, seal in enumerate(seals):
        if seal.previous != previous or seal.number != seals[0].number + place:
            raise Violation(
                f"{instrument}: the seal of {seal.date} does not follow from the one before it: "
                "a seal was removed or put in."
            )
        _require_day(seal, days)
        _require_covered(seal, Span(instrument, seal.number, after, seal.date))
        previous, after = seal.link, seal.date
    if seals and len(days) > seals[-1].number:
        raise Violation(
            f"{instrument}: {days[seals[-1].number].date} is the record's day "
            f"{seals[-1].number + 1} and has no seal: it was put in, or its seal removed."
        )
    return len(seals)


def require_publications(instrument: str) -> None:
    """Raise `Violation` where a report that was published is gone or names another digest."""
    reports = dict(
        Message.objects.filter(kind=Message.Kind.REPORT, instrument=instrument).values_list(
            "key", "digest"
        )
    )
    published = RecordPublication.objects.filter(instrument=instrument).order_by("pk")
    for key, digest in published.values_list("key", "digest"):
        if key not in reports:
            raise Violation(f"The report {key} was published with {digest} and is gone.")
        if reports[key] != digest:
            raise Violation(
                f"The report {key} was published with {digest} and says {reports[key] or 'none'}."
            )


def require_decided_signals(instrument: str) -> None:
    """Raise `Violation` where a close was decided for a signal that is not there."""
    times = set(Signal.objects.filter(instrument=instrument).values_list("timestamp", flat=True))
    made = Decision.objects.filter(instrument=instrument, outcome__in=DECIDED_FOR_SIGNAL)
    for close_time in made.order_by("close_time_ms").values_list("close_time_ms", flat=True):
        if utc(close_time) not in times:
            raise Violation(
                f"{instrument}: the close of {iso(close_time)} was decided for a signal, which "
                "was removed."
            )


def _require_day(seal: RecordSeal, days: Sequence[RecordDay]) -> None:
    day = days[seal.number - 1] if seal.number <= len(days) else None
    if day is None or (day.date, day.digest) != (seal.date, seal.day_digest):
        raise Violation(
            f"{seal.instrument}: {seal.date} was sealed as the record's day {seal.number} with the "
            f"digest {seal.day_digest}: it, or a day before it, was removed or made anew."
        )


def _require_covered(seal: RecordSeal, span: Span) -> None:
    found = covered(span)
    for name, part in found.items():
        was = seal.covered.get(name)
        if was != part:
            number = was["number"] if was else 0
            raise Violation(
                f"{span.instrument}: the {name} up to {span.until} are not those that were sealed "
                f"(they were {number}, they are {part['number']}): one was changed, removed or "
                "put in."
            )
    if seal.link != seal_link(seal.previous, span, seal.day_digest, seal.covered):
        raise Violation(f"{span.instrument}: the seal of {span.until} was changed.")


def _require_marks(instrument: str, numbers: set[int]) -> None:
    """Raise where a decision or message names a seal that is not there."""
    for rows in (Decision.objects, Message.objects):
        marks = rows.filter(instrument=instrument).exclude(record_seal=None)
        named = marks.order_by("record_seal").values_list("record_seal", flat=True).distinct()
        gone = next((number for number in named if number not in numbers), None)
        if gone is not None:
            raise Violation(
                f"{instrument}: seal {gone} covers decisions or messages and was removed."
            )
