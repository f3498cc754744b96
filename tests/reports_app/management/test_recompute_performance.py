"""manage.py recompute_performance: every row again, or those from a day on."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from reports_app.models import PerformanceMetric
from tests.trades_app.rows import numbered, stored_trade

pytestmark = pytest.mark.django_db


def recompute(*arguments: str) -> str:
    out = StringIO()
    call_command("recompute_performance", *arguments, stdout=out)
    return out.getvalue()


def test_it_says_how_many_periods_it_wrote_and_may_run_twice() -> None:
    stored_trade(numbered(1), 2039.0)
    stored_trade(numbered(1, days=4))

    # Friday and Tuesday, two weeks, one month.
    assert recompute() == "5 rows of days, weeks and months.\n"
    assert recompute() == "5 rows of days, weeks and months.\n"
    assert PerformanceMetric.objects.count() == 5


def test_a_day_and_an_instrument_narrow_it() -> None:
    stored_trade(numbered(1), 2039.0)
    stored_trade(numbered(1, days=4))

    assert recompute("--since", "2024-01-08") == "3 rows of days, weeks and months.\n"
    assert recompute("--symbol", "EURUSD") == "0 rows of days, weeks and months.\n"
    assert recompute("--symbol", "xauusd") == "5 rows of days, weeks and months.\n"
    with pytest.raises(CommandError, match="XAUUDS is no instrument that is known here"):
        recompute("--symbol", "XAUUDS")
