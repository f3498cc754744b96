"""Performance over HTTP: days, weeks and months of each instrument."""

import pytest
from pytest_django import DjangoAssertNumQueries

from reports_app.track_record.performance import recompute
from tests.callers import API, caller
from tests.trades_app.rows import numbered, stored_trade
from trades_app.models import Trade

pytestmark = pytest.mark.django_db

GROUPS_AND_TIME = {"by_session", "by_setup", "by_direction", "calculated_at"}
LOST, WON, BROKE_EVEN = (2039.0,), (2055.0, 2065.0), (2055.0, 2045.5)


@pytest.fixture
def record() -> None:
    """Friday: one lost, one won; Monday: half won; Tuesday: a signal whose trade still runs."""
    stored_trade(numbered(1), *LOST)
    stored_trade(numbered(2), *WON)
    stored_trade(numbered(1, days=3), *BROKE_EVEN)
    stored_trade(numbered(1, days=4))
    recompute()


def test_a_day_adds_up_its_closed_trades(record: None) -> None:
    tuesday, monday, friday = caller().get(f"{API}/performance/daily").json()["results"]

    assert {name: friday[name] for name in friday if name not in GROUPS_AND_TIME} == {
        "instrument": "XAUUSD",
        "date": "2024-01-05",
        "until": "2024-01-05",
        "total_signals": 2,
        "closed_trades": 2,
        "winning_trades": 1,
        "losing_trades": 1,
        "win_rate": 50.0,
        "average_rr": 0.73,
        "planned_risk_reward": 3.55,
        "profit_factor": 2.23,
        "total_pips": 80.0,
        "total_profit_loss": 400.0,
        "maximum_drawdown": 325.0,
    }
    assert friday["by_session"]["NY_OVERLAP"]["closed_trades"] == 2
    assert (monday["date"], monday["win_rate"]) == ("2024-01-08", 100.0)
    assert (tuesday["date"], tuesday["total_signals"], tuesday["closed_trades"]) == (
        "2024-01-09",
        1,
        0,
    )
    assert (tuesday["win_rate"], tuesday["average_rr"]) == (None, None)
    profits = [float(trade.profit_loss) for trade in Trade.objects.all()]
    assert friday["total_profit_loss"] + monday["total_profit_loss"] == sum(profits)


def test_weeks_begin_on_monday_and_months_on_their_first(record: None) -> None:
    client = caller()

    weeks = client.get(f"{API}/performance/weekly").json()["results"]
    (month,) = client.get(f"{API}/performance/monthly").json()["results"]

    assert [(week["date"], week["until"], week["closed_trades"]) for week in weeks] == [
        ("2024-01-08", "2024-01-14", 1),
        ("2024-01-01", "2024-01-07", 2),
    ]
    assert (month["date"], month["until"], month["closed_trades"]) == (
        "2024-01-01",
        "2024-01-31",
        3,
    )


def test_performance_comes_in_pages(record: None) -> None:
    client = caller()

    first = client.get(f"{API}/performance/daily", {"limit": 2}).json()
    second = client.get(first["next"]).json()
    back = client.get(second["previous"]).json()

    assert [row["date"] for row in first["results"]] == ["2024-01-09", "2024-01-08"]
    assert first["previous"] is None
    assert [row["date"] for row in second["results"]] == ["2024-01-05"]
    assert second["next"] is None
    assert back["results"] == first["results"]


def test_performance_is_narrowed_by_instrument_and_time(record: None) -> None:
    client = caller()

    def dates(**query: str) -> list[str]:
        rows = client.get(f"{API}/performance/daily", query).json()["results"]
        return [row["date"] for row in rows]

    assert dates(instrument="EURUSD") == []
    assert dates(**{"from": "2024-01-06", "to": "2024-01-09"}) == ["2024-01-08"]
    assert dates(**{"from": "2024-01-06", "to": "2024-01-09T00:01"}) == ["2024-01-09", "2024-01-08"]
    weeks = client.get(f"{API}/performance/weekly", {"from": "2024-01-06"}).json()["results"]
    assert [week["date"] for week in weeks] == ["2024-01-08", "2024-01-01"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "0"}, "limit must be a whole number from 1 to 1000."),
        ({"limit": "many"}, "limit must be a whole number from 1 to 1000."),
        ({"from": "soon"}, "from: Enter a valid date/time."),
    ],
)
def test_a_report_that_cannot_be_made_is_refused(query: dict[str, str], message: str) -> None:
    response = caller().get(f"{API}/performance/daily", query)

    assert response.status_code == 400
    assert response.json()["error"]["message"] == message


def test_a_report_costs_one_query_beside_the_key(
    record: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = caller()

    with django_assert_num_queries(2):
        client.get(f"{API}/performance/monthly")
