"""Trades by name: which are open, and the order of the record."""

from dataclasses import replace

import pytest

from signals_app.confluence.parameters import Parameters
from tests.trades_app.examples import ENTRY, GOLD, SIGNAL
from tests.trades_app.rows import numbered, stored_signal, stored_trade
from trades_app.lifecycle import machine
from trades_app.lifecycle.trade import Moment, TradeStatus
from trades_app.models import Trade

pytestmark = pytest.mark.django_db


def cancelled_trade() -> Trade:
    signal = numbered(3)
    trade, _ = machine.cancel(machine.plan_trade(signal, GOLD, Parameters()), Moment.of(ENTRY))
    row = Trade(signal=stored_signal(signal))
    row.fill(trade)
    row.save()
    return row


def test_open_are_those_that_ticks_still_move() -> None:
    running, over, cancelled = (
        stored_trade(),
        stored_trade(numbered(2), 2039.0),
        cancelled_trade(),
    )

    assert list(Trade.objects.open()) == [running]
    assert [row.is_open for row in (running, over, cancelled)] == [True, False, False]
    assert cancelled.status == TradeStatus.CANCELLED


def test_the_record_is_in_the_order_of_closes_instruments_and_ids() -> None:
    later, first = stored_trade(numbered(2)), stored_trade(SIGNAL)
    euro = stored_trade(replace(SIGNAL, signal_id="EUR_20240105_001", instrument="EURUSD"))

    assert list(Trade.objects.in_record_order()) == [euro, first, later]
