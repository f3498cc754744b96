"""What each instrument earned, written down."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from reports_app.models import PerformanceMetric
from reports_app.services import record_performance
from tests.trades_app.rows import numbered, stored_trade

pytestmark = pytest.mark.django_db


def test_days_are_written_once_and_rewritten_when_they_change() -> None:
    stored_trade(numbered(1), 2039.0)
    assert record_performance() == 1
    stored_trade(numbered(2), 2055.0, 2065.0)

    assert record_performance(since=datetime(2024, 1, 5, tzinfo=UTC)) == 1

    day = PerformanceMetric.objects.get()
    assert (day.instrument, day.date, day.total_signals) == ("XAUUSD", date(2024, 1, 5), 2)
    assert (day.winning_trades, day.losing_trades, day.win_rate) == (1, 1, Decimal("50.00"))
    assert (day.total_pips, day.total_profit_loss) == (Decimal("80.00"), Decimal("400.00"))
