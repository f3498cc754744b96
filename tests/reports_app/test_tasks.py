"""Tasks of records and reports: what each calls, and what it starts."""

from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import pytest

from reports_app import tasks
from reports_app.models import PerformanceMetric, RecordDay
from signals_app.models import StreamPosition
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import stored_trade
from trades_app.models import Message

pytestmark = pytest.mark.django_db

DAY_MS = 86_400_000


def test_a_day_that_is_over_is_sealed_reported_and_its_report_sent() -> None:
    stored_trade()
    StreamPosition.objects.create(instrument="XAUUSD", ordinal=20, time_ms=CLOSE_MS + 3 * DAY_MS)

    with patch("trades_app.tasks.deliver.delay") as deliver:
        tasks.report()
        tasks.report()

    assert RecordDay.objects.get().date.isoformat() == "2024-01-05"
    assert Message.objects.filter(kind=Message.Kind.REPORT).exists()
    deliver.assert_called_once_with()


def test_a_day_that_goes_on_is_left_alone() -> None:
    stored_trade()
    StreamPosition.objects.create(instrument="XAUUSD", ordinal=20, time_ms=CLOSE_MS + 60_000)

    with patch("trades_app.tasks.deliver.delay") as deliver:
        tasks.report()

    assert not RecordDay.objects.exists()
    deliver.assert_not_called()


def test_figures_are_written_for_the_periods_in_which_something_happened() -> None:
    stored_trade()

    tasks.recompute_performance()

    periods = PerformanceMetric.objects.values_list("period", flat=True)
    assert sorted(periods) == ["day", "month", "week"]


def test_a_trial_is_the_search_s_own_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_trial(market: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[list[float]]:
        return [[market["seed"], parameters["threshold"]]]

    monkeypatch.setattr("reports_app.experiments.trials.run_trial", run_trial)

    assert tasks.run_trial({"seed": 1.0}, {"threshold": 80.0}) == [[1.0, 80.0]]
