"""Signals and what happens to their trades are put in with the figures of that moment."""

import pytest

from signals_app.confluence.parameters import Parameters
from signals_app.models import Instrument, Signal, StreamPosition
from tests.trades_app.examples import ENTRY, GOLD, SIGNAL, bids
from trades_app.lifecycle import machine
from trades_app.models import Message
from trades_app.notifications.announcements import announce_events, announce_signal
from trades_app.notifications.kinds import text_of

pytestmark = pytest.mark.django_db


def test_a_signal_is_announced_with_its_trade_as_it_was_opened(signal: Signal) -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    announce_signal(signal, GOLD, trade, None)
    announce_signal(signal, GOLD, trade, None)

    message = Message.objects.get()
    assert (message.key, message.kind) == (f"signal:{signal.pk}", "SIGNAL")
    assert (message.signal, message.instrument) == (signal, "XAUUSD")
    lines = text_of(message).splitlines()
    assert lines[:3] == ["📈 BUY XAUUSD at 2,045.50", "", "🔔 XAUUSD TRADING SIGNAL 🔔"]
    assert "🧭 Strategy: default v1" in lines
    assert lines[-1] == "Current P/L: +$0.00 (+0 pips)"


def test_only_what_followers_need_is_put_in_each_event_once(signal: Signal) -> None:
    trade, opened = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, events = machine.advance(trade, GOLD, bids(2055.1, 2065.1))

    announce_events(signal, trade, opened, GOLD, (None, None))
    for _ in range(2):
        announce_events(signal, trade, events, GOLD, (None,) * len(events))

    keys = list(Message.objects.order_by("pk").values_list("key", flat=True))
    assert keys == [f"trade:{signal.pk}:TP1_HIT", f"trade:{signal.pk}:TP2_HIT"]
    assert set(Message.objects.values_list("kind", flat=True)) == {"TRADE"}


def test_a_text_does_not_change_with_what_is_set_or_happens_later(signal: Signal) -> None:
    StreamPosition.objects.create(instrument="XAUUSD", seqs={"mt5-simulated": 1})
    simulated = Signal.objects.get()
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, events = machine.advance(trade, GOLD, bids(2040.0))
    announce_signal(simulated, GOLD, trade, 7380)
    announce_events(simulated, trade, events, GOLD, (7380, 7380))
    before = [text_of(message) for message in Message.objects.order_by("pk")]

    StreamPosition.objects.all().delete()
    Instrument.objects.filter(symbol="XAUUSD").update(digits=4)

    assert [text_of(message) for message in Message.objects.order_by("pk")] == before
    assert all("2 h 03 min late" in text for text in before)
