"""A shadow trade keeps the core's values whole."""

import msgspec
import pytest

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.market.calendar import utc
from signals_app.models import Strategy
from tests.trades_app.examples import ENTRY, GOLD, SIGNAL, bids
from trades_app.lifecycle import machine
from trades_app.models import ShadowTrade

pytestmark = pytest.mark.django_db


def test_values_come_back_and_events_are_added_to_those_before() -> None:
    trade, opened = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    row = ShadowTrade(
        strategy=Strategy.objects.live(),
        instrument="XAUUSD",
        close_time=utc(SIGNAL.timestamp_ms),
        signal=msgspec.to_builtins(SIGNAL),
        entry_ordinal=trade.entry_ordinal,
    )
    row.fill(trade, opened)
    row.save()
    assert list(ShadowTrade.objects.open()) == [row]

    over, ended = machine.advance(trade, GOLD, bids(2039.0))
    row.fill(over, ended)
    row.save()

    stored = ShadowTrade.objects.get()
    assert (msgspec.convert(stored.signal, TradingSignal), stored.value()) == (SIGNAL, over)
    assert stored.event_values() == opened + ended
    assert over.exit_time_ms is not None
    assert (stored.is_open, stored.exit_time) == (False, utc(over.exit_time_ms))
    assert (stored.profit_loss, stored.r_multiple) == (over.profit_loss, over.r_multiple)
