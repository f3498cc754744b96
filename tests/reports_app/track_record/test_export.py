"""The track record as JSON: a backtest's own objects, in the order of their candles."""

import pytest
from pytest_django import DjangoAssertNumQueries

from reports_app.track_record.export import track_record_as_json
from signals_app.market.encoding import as_json
from tests.trades_app.examples import SIGNAL
from tests.trades_app.rows import numbered, stored_signal, stored_trade
from trades_app.lifecycle.exported import trade_as_json

pytestmark = pytest.mark.django_db


def test_the_track_record_is_the_backtests_own_objects_in_order_of_closes() -> None:
    later = stored_trade(numbered(2), 2039.0)
    stored_signal(numbered(3))
    earlier = stored_trade(SIGNAL, 2055.0)

    assert track_record_as_json() == {
        "signals": [as_json(signal) for signal in (numbered(1), numbered(2), numbered(3))],
        "trades": [
            trade_as_json(row.value(), [event.value() for event in row.events.all()])
            for row in (earlier, later)
        ],
    }


def test_the_track_record_costs_three_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(1, 6):
        stored_trade(numbered(number), 2055.0)

    with django_assert_num_queries(3):
        track_record_as_json()
