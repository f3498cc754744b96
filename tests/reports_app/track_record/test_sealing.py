"""A day of the record is sealed once, and only when nothing can be added to it."""

import datetime as dt

import pytest

from reports_app.track_record.sealing import days_to_seal, seal_days
from signals_app.models import Decision, StreamPosition
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import DAY_MS, numbered, stored_trade

pytestmark = pytest.mark.django_db

LOST = (2039.0,)
FRIDAY = dt.date(2024, 1, 5)


def stream_at(time_ms: int) -> None:
    StreamPosition.objects.update_or_create(instrument="XAUUSD", defaults={"time_ms": time_ms})


def test_a_day_is_sealed_when_the_stream_is_behind_it() -> None:
    stored_trade(numbered(1), *LOST)
    assert days_to_seal("XAUUSD") == []
    stream_at(CLOSE_MS + 60_000)
    assert days_to_seal("XAUUSD") == []

    StreamPosition.objects.update(watermark_ms=CLOSE_MS + DAY_MS)

    assert [(row.date, row.signals, row.events) for row in seal_days("XAUUSD")] == [(FRIDAY, 1, 4)]
    assert seal_days("XAUUSD") == []


def test_a_day_waits_for_its_undecided_closes() -> None:
    stored_trade(numbered(1), *LOST)
    stream_at(CLOSE_MS + 3 * DAY_MS)
    close = Decision.objects.create(
        instrument="XAUUSD", close_time_ms=CLOSE_MS + 900_000, entry_ordinal=50
    )
    assert days_to_seal("XAUUSD") == []

    # The week's last close gets its entry tick after the weekend: too late for a signal.
    Decision.objects.filter(pk=close.pk).update(entry_ordinal=None)
    assert days_to_seal("XAUUSD") == [FRIDAY]
