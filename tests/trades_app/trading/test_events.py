"""Events are numbered and linked through a trade's life."""

import pytest

from tests.trades_app.examples import bids
from tests.trades_app.rows import stored_trade
from trades_app.lifecycle.hash_chain import event_link
from trades_app.trading.moving import move_trades

pytestmark = pytest.mark.django_db


def test_each_event_is_linked_to_the_one_before_and_the_first_to_the_signal() -> None:
    trade = stored_trade()
    move_trades("XAUUSD", bids(2055.0))

    last = trade.signal.record_hash
    for number, row in enumerate(trade.events.all(), 1):
        last = event_link(last, trade.signal_id, number, row.value())
        assert (row.number, row.record_hash) == (number, last)
    assert number == 4
