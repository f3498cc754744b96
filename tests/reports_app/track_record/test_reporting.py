"""Each period has one report, when its stream is behind it."""

import datetime as dt

import pytest

from reports_app.models import PerformanceMetric, RecordDay
from reports_app.tasks import report as report_task
from reports_app.track_record import sealing
from reports_app.track_record.proof import verify
from reports_app.track_record.reporting import report
from tests.reports_app.track_record.records import LOST, MONDAY, WON, stream_at
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import DAY_MS, numbered, stored_trade
from trades_app.models import Message
from trades_app.notifications.kinds import text_of

pytestmark = pytest.mark.django_db

SUNDAY = dt.date(2024, 1, 7)


def keys() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("key", flat=True))


def test_a_day_is_reported_with_its_losses_first_and_its_digest() -> None:
    stored_trade(numbered(1), *WON)
    stored_trade(numbered(2), *LOST)
    stream_at(CLOSE_MS + DAY_MS)

    assert report("XAUUSD") == 1

    (message,) = Message.objects.all()
    digest = RecordDay.objects.get().digest
    assert text_of(message).splitlines() == [
        "📅 XAUUSD DAILY REPORT · Friday, 2024-01-05",
        "",
        "Signals: 2 · trades closed: 2",
        "🛑 Lost: 1 (-$325.00)",
        "🏁 Won: 1 (+$725.00) · win rate 50%",
        "Result: +$400.00 (+80.0 pips)",
        "Profit factor: 2.23",
        "Expectancy: +0.73 R a trade",
        "Average planned R:R: 1:3.55",
        "Deepest fall on the way: -$325.00",
        "",
        "🛑 XAU_20240105_002 BUY: -$325.00 (-65.0 pips) = -1.18 R",
        "🏁 XAU_20240105_001 BUY: +$725.00 (+145.0 pips) = +2.64 R",
        "",
        f"🔗 Record: {digest}",
    ]
    assert (message.kind, message.instrument, message.status) == ("REPORT", "XAUUSD", "WAITING")
    assert (message.digest, message.text) == (digest, "")


def test_a_week_and_a_month_are_reported_when_they_are_over() -> None:
    stored_trade(numbered(1), *LOST)
    stream_at(CLOSE_MS + DAY_MS)
    report("XAUUSD")
    assert keys() == ["report:XAUUSD:day:2024-01-05"]

    stream_at(CLOSE_MS + 3 * DAY_MS)
    report("XAUUSD")
    assert keys()[1:] == ["report:XAUUSD:week:2024-01-01"]

    stream_at(CLOSE_MS + 30 * DAY_MS)
    report("XAUUSD")
    report("XAUUSD")
    assert keys()[2:] == ["report:XAUUSD:month:2024-01-01"]
    assert "January 2024" in text_of(Message.objects.last())


def test_nothing_is_reported_of_a_day_that_goes_on() -> None:
    stored_trade(numbered(1), *LOST)
    stream_at(CLOSE_MS + 60_000)

    assert report("XAUUSD") == 0
    assert keys() == []


def test_the_task_reports_each_instrument_and_writes_its_figures() -> None:
    stored_trade(numbered(1), *LOST)
    stream_at(CLOSE_MS + DAY_MS)

    report_task()

    assert keys() == ["report:XAUUSD:day:2024-01-05"]
    assert PerformanceMetric.objects.get(period="day").losing_trades == 1


def test_a_day_that_ends_while_days_are_sealed_is_in_its_weeks_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sunday evening belongs to the week; a replay at full speed passes it between two queries."""
    stored_trade(numbered(1), *WON)
    stored_trade(numbered(1, days=2), *LOST)
    ends = iter([SUNDAY, SUNDAY])
    monkeypatch.setattr(sealing, "closed_until", lambda _: next(ends, MONDAY))

    report("XAUUSD")
    report("XAUUSD")

    week = Message.objects.get(key="report:XAUUSD:week:2024-01-01")
    assert week.digest == RecordDay.objects.get(date=SUNDAY).digest
    assert verify()[0].sealed == 2
