"""Days whose digests were changed or removed, and reports that say otherwise, are named."""

import pytest

from reports_app.models import RecordDay
from reports_app.track_record.proof import verify
from reports_app.track_record.reporting import report
from reports_app.track_record.sealing import seal_days
from reports_app.track_record.violation import Violation
from tests.reports_app.track_record.records import (
    FRIDAY,
    remove,
    stream_at,
)
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import DAY_MS
from trades_app.models import Message

pytestmark = pytest.mark.django_db


def test_the_end_of_a_sealed_day_cannot_be_cut_off(record: None) -> None:
    for signal_id in ("XAU_20240108_001", "XAU_20240105_002"):
        remove(signal_id)

    with pytest.raises(Violation, match="the digest of 2024-01-05 is not that of its 5 entries"):
        verify()


def test_a_removed_digest_is_missed(record: None) -> None:
    stream_at(CLOSE_MS + 4 * DAY_MS)
    seal_days("XAUUSD")
    assert verify()[0].sealed == 2
    RecordDay.objects.filter(date=FRIDAY).delete()

    with pytest.raises(Violation, match="2024-01-05 has entries but no digest"):
        verify()


def test_what_a_sealed_day_says_of_its_entries_is_checked(record: None) -> None:
    RecordDay.objects.update(signals=5)

    with pytest.raises(
        Violation, match=r"2024-01-05 says 5 signals and 10 events, .* covers 2 and 10"
    ):
        verify()


def test_a_record_agrees_with_its_reports(published: str) -> None:
    stream_at(CLOSE_MS + 30 * DAY_MS)
    report("XAUUSD")

    assert verify()[0].sealed == 2
    assert Message.objects.filter(kind="REPORT").count() == 5


def test_a_day_that_was_published_cannot_be_dropped_with_its_digest(published: str) -> None:
    RecordDay.objects.all().delete()
    remove("XAU_20240108_001")
    remove("XAU_20240105_002")

    with pytest.raises(Violation, match=f"told of the digest {published} at the end of 2024-01-05"):
        verify()
    remove("XAU_20240105_001")
    with pytest.raises(Violation, match="the record has nothing until then"):
        verify()


def test_a_report_whose_digest_was_taken_out_is_named(published: str) -> None:
    Message.objects.filter(key="report:XAUUSD:day:2024-01-05").update(digest="")

    with pytest.raises(
        Violation, match=r"^The report report:XAUUSD:day:2024-01-05 names no digest"
    ):
        verify()
