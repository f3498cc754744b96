"""Open trades follow the ticks of their symbol."""

import pytest

from signals_app.models import Signal
from tests.trades_app.examples import SIGNAL, bids
from tests.trades_app.rows import kinds, numbered, stored_trade
from trades_app.models import Trade
from trades_app.trading.moving import move_trades

pytestmark = pytest.mark.django_db


def test_ticks_move_the_open_trades_of_their_symbol_alone() -> None:
    trade, over = stored_trade(), stored_trade(numbered(2), 2039.0)

    move_trades("EURUSD", bids(2039.0))
    assert kinds(trade) == ["OPENED", "MONITORING_STARTED"]
    move_trades("XAUUSD", bids(2055.0, first_ordinal=12))
    move_trades("XAUUSD", bids(2066.0, first_ordinal=13))

    trade.refresh_from_db()
    assert kinds(trade)[2:] == ["TP1_HIT", "STOP_MOVED", "TP2_HIT", "CLOSED"]
    assert (trade.status, trade.remaining_lots) == ("TRADE_CLOSED", 0)
    assert Signal.objects.get(pk=SIGNAL.signal_id).status == Signal.Status.CLOSED
    assert kinds(over)[2:] == ["SL_HIT", "CLOSED"]
    assert not Trade.objects.open().exists()


def test_the_same_ticks_again_change_nothing() -> None:
    trade = stored_trade()
    move_trades("XAUUSD", bids(2055.0))
    happened = kinds(trade)

    move_trades("XAUUSD", bids(2055.0))

    assert kinds(trade) == happened
