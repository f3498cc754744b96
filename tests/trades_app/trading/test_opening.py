"""Trades cancelled before they open; opening itself is tested with the pipeline."""

import pytest

from signals_app.confluence.parameters import Parameters
from signals_app.market.tick import Tick
from signals_app.models import AuditEntry, Decision, StreamPosition
from tests.trades_app.examples import CLOSE_MS, GOLD, SIGNAL
from tests.trades_app.rows import decided, kinds, stored_signal, stored_trade
from trades_app import models
from trades_app.lifecycle.transitions import InvalidTransition
from trades_app.trading import exposure
from trades_app.trading.opening import cancel_trade, open_trade

pytestmark = pytest.mark.django_db


def test_a_trade_that_waits_for_its_ticks_can_be_cancelled(position: StreamPosition) -> None:
    stored_signal()
    decision = decided(Decision.Outcome.OPENING)

    cancel_trade(SIGNAL.signal_id)

    trade = models.Trade.objects.get()
    assert (trade.status, trade.is_open, kinds(trade)) == ("CANCELLED", False, ["CANCELLED"])
    decision.refresh_from_db()
    assert decision.outcome == Decision.Outcome.SIGNAL
    assert open_trade(SIGNAL.signal_id) is None
    later = Tick(30, CLOSE_MS + 900_000, 2048.0, 2048.2)
    assert exposure.exposure_before(GOLD, Parameters(), later).open_trades == 0
    entry = AuditEntry.objects.get(action="cancelled")
    assert entry.after == {"signal": SIGNAL.signal_id, "status": "CANCELLED"}


def test_an_open_trade_is_not_cancelled(position: StreamPosition) -> None:
    stored_trade()
    decided(Decision.Outcome.SIGNAL)

    with pytest.raises(InvalidTransition, match="its trade was opened"):
        cancel_trade(SIGNAL.signal_id)
