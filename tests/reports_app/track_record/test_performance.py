"""performance_metrics hold what the trades say, whenever they are computed."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command

from reports_app.models import PerformanceMetric
from reports_app.track_record.performance import recompute, recompute_recent
from tests.trades_app.rows import numbered, stored_trade
from trades_app.models import Trade

pytestmark = pytest.mark.django_db

LOST, WON = (2039.0,), (2055.0, 2065.0)


def stored() -> list[dict[str, object]]:
    return list(PerformanceMetric.objects.order_by("metric_id").values())


def test_a_loss_and_a_win_make_a_day_a_week_and_a_month() -> None:
    stored_trade(numbered(1), *LOST)
    stored_trade(numbered(2), *WON)

    assert recompute() == 3

    day, week, month = PerformanceMetric.objects.order_by("metric_id")
    assert (day.period, day.date) == ("day", date(2024, 1, 5))
    assert (week.period, week.date) == ("week", date(2024, 1, 1))
    assert (month.period, month.date) == ("month", date(2024, 1, 1))
    assert (day.total_signals, day.closed_trades) == (2, 2)
    assert (day.winning_trades, day.losing_trades, day.win_rate) == (1, 1, Decimal("50.00"))
    assert (day.average_rr, day.planned_risk_reward) == (Decimal("0.73"), Decimal("3.55"))
    assert (day.total_pips, day.total_profit_loss) == (Decimal("80.00"), Decimal("400.00"))
    assert (day.profit_factor, day.maximum_drawdown) == (Decimal("2.23"), Decimal("325.00"))
    assert {name: part["closed_trades"] for name, part in day.by_session.items()} == {
        "NY_OVERLAP": 2
    }
    assert day.by_direction["BUY"]["total_profit_loss"] == 400.0
    assert list(day.by_setup) == ["FVG+OB"]


def test_computing_again_changes_nothing_but_when() -> None:
    stored_trade(numbered(1), *LOST)
    stored_trade(numbered(2, days=3), *WON)
    recompute()
    first = stored()

    recompute()
    recompute(since=date(2024, 1, 8))
    recompute_recent()

    unchanged = [{**row, "calculated_at": None} for row in stored()]
    assert unchanged == [{**row, "calculated_at": None} for row in first]


def test_a_part_computed_anew_equals_the_whole() -> None:
    stored_trade(numbered(1), *LOST)
    recompute()
    stored_trade(numbered(2, days=3), *WON)

    # Monday's week is new; the month, begun before, counts Friday's loss too.
    assert recompute(since=date(2024, 1, 8)) == 3

    month = PerformanceMetric.objects.get(period="month")
    assert (month.total_signals, month.winning_trades, month.losing_trades) == (2, 1, 1)
    assert PerformanceMetric.objects.count() == 5


def test_a_row_that_no_trade_supports_is_removed() -> None:
    trade = stored_trade(numbered(1), *LOST)
    recompute()
    trade.events.all().delete()
    Trade.objects.all().delete()
    trade.signal.delete()

    call_command("recompute_performance")

    assert stored() == []


def test_only_what_is_new_is_computed_by_the_clock() -> None:
    assert recompute_recent() == 0
    stored_trade(numbered(1), *LOST)
    assert recompute_recent() == 3
