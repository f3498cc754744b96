"""Trades over HTTP."""

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.callers import API, caller
from tests.trades_app.examples import SIGNAL
from tests.trades_app.rows import numbered, stored_trade
from trades_app.lifecycle.exported import trade_as_json

pytestmark = pytest.mark.django_db


def test_a_trade_is_the_exported_one_with_its_number() -> None:
    row = stored_trade(SIGNAL, 2050.0, 2055.0, 2044.0)
    exported = trade_as_json(row.value(), [event.value() for event in row.events.all()])

    answer = caller().get(f"{API}/trades/{row.pk}").json()

    assert answer == {
        **exported,
        "events": [{**event, "found_late_seconds": None} for event in exported["events"]],
        "trade_id": row.pk,
        "remaining_lots": 0.0,
        "initial_risk": 275.0,
        "expires_at": "2024-01-10T14:30:00.400Z",
    }
    assert [event["kind"] for event in answer["events"]] == [
        "OPENED",
        "MONITORING_STARTED",
        "TP1_HIT",
        "STOP_MOVED",
        "SL_HIT",
        "CLOSED",
    ]


def test_a_trade_that_is_not_there_is_named() -> None:
    response = caller().get(f"{API}/trades/99")

    assert response.status_code == 404
    assert response.json()["error"]["message"] == "There is no trade 99."


def test_a_number_that_no_trade_can_have_is_no_fault_of_ours() -> None:
    assert caller().get(f"{API}/trades/{10**30}").status_code == 404


def test_active_trades_are_those_that_ticks_still_move() -> None:
    stored_trade(numbered(1), 2039.0)
    running = stored_trade(numbered(2), 2050.0)

    (answer,) = caller().get(f"{API}/trades/active").json()["results"]

    assert (answer["trade_id"], answer["status"], answer["exit_time"]) == (
        running.pk,
        "MONITORING",
        None,
    )
    assert (answer["exit_reason"], answer["exit_price"]) == (None, None)
    assert "events" not in answer


def test_trades_are_narrowed_by_instrument_status_and_time_of_entry() -> None:
    lost = stored_trade(numbered(1), 2039.0)
    running = stored_trade(numbered(2), 2050.0)
    client = caller()

    def found(**query: str) -> list[int]:
        return [row["trade_id"] for row in client.get(f"{API}/trades", query).json()["results"]]

    assert found() == [running.pk, lost.pk]
    assert found(status="TRADE_CLOSED") == [lost.pk]
    assert found(instrument="XAUUSD", direction="SELL") == []
    assert found(**{"from": "2024-01-05T14:40:00Z"}) == [running.pk]
    assert found(to="2024-01-05T14:40:00Z") == [lost.pk]


def test_a_page_of_trades_costs_two_queries_and_one_trade_three(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    rows = [stored_trade(numbered(number), 2055.0) for number in range(1, 6)]
    client = caller()

    with django_assert_num_queries(2):
        client.get(f"{API}/trades")
    with django_assert_num_queries(3):
        client.get(f"{API}/trades/{rows[0].pk}")
