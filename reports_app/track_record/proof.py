"""The track record's proof: everything is computed again, and compared with what was published."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from reports_app.models import RecordDay, RecordPublication, RecordSeal
from reports_app.track_record.days_proof import require_published_digests, require_sealed_days
from reports_app.track_record.entries_proof import verified_entries
from reports_app.track_record.seals_proof import (
    DECIDED_FOR_SIGNAL,
    require_decided_signals,
    require_publications,
    require_seals,
)
from reports_app.track_record.violation import Violation
from signals_app.models import Decision, Signal
from trades_app.lifecycle.hash_chain import Day, chain_days, holds_published
from trades_app.models import Message


@dataclass(frozen=True, slots=True)
class Published:
    """A digest that somebody noted: a report's, by its last day, or a head while the day went on.

    It covers the instrument, which need not be named.
    """

    date: dt.date
    digest: str


@dataclass(frozen=True, slots=True)
class Proof:
    """One instrument's track record that holds: its days, the last one as far as it has come.

    `sealed` of them are in the database with their digests; an export does not say (`None`).
    """

    instrument: str
    days: tuple[Day, ...]
    sealed: int | None

    @property
    def signals(self) -> int:
        return sum(day.signals for day in self.days)

    @property
    def events(self) -> int:
        return sum(day.events for day in self.days)

    @property
    def head(self) -> Published | None:
        """The digest that stands for all, `None` where there is nothing."""
        return Published(self.days[-1].date, self.days[-1].digest) if self.days else None


def verify(expected: Sequence[Published] = ()) -> list[Proof]:
    """Compute the whole track record again; raise `Violation` where it does not hold.

    ``expected`` must belong to it. In one snapshot of the database, so that it can run while
    signals are made.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        proofs = [_verify(instrument) for instrument in sorted(_instruments())]
    require_expected(proofs, expected)
    return proofs


def require_expected(proofs: Sequence[Proof], expected: Iterable[Published]) -> None:
    """Raise `Violation` where a digest that somebody noted belongs to none of the proofs."""
    for noted in expected:
        if not is_expected(proofs, noted):
            raise Violation(
                f"{noted.digest} was noted on {noted.date} and is no digest of this record: "
                "up to then something was removed, changed or put in."
            )


def is_expected(proofs: Sequence[Proof], noted: Published) -> bool:
    """Whether a digest that somebody noted belongs to one of the proofs."""
    return any(
        holds_published(proof.instrument, proof.days, noted.date, noted.digest) for proof in proofs
    )


def _verify(instrument: str) -> Proof:
    days = chain_days(instrument, verified_entries(instrument))
    sealed = require_sealed_days(instrument, days)
    require_published_digests(instrument, days)
    require_seals(instrument)
    require_publications(instrument)
    require_decided_signals(instrument)
    return Proof(instrument, days, sealed)


def _instruments() -> set[str]:
    signals = Signal.objects.order_by().values_list("instrument", flat=True).distinct()
    days = RecordDay.objects.order_by().values_list("instrument", flat=True).distinct()
    seals = RecordSeal.objects.order_by().values_list("instrument", flat=True).distinct()
    published = RecordPublication.objects.order_by().values_list("instrument", flat=True).distinct()
    decided = Decision.objects.filter(outcome__in=DECIDED_FOR_SIGNAL).order_by()
    reports = Message.objects.filter(kind=Message.Kind.REPORT).order_by()
    return {
        *signals,
        *days,
        *seals,
        *published,
        *decided.values_list("instrument", flat=True).distinct(),
        *reports.values_list("instrument", flat=True).distinct(),
    }
