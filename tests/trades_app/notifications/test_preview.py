"""A message as followers see it: the very content that is sent, before and after."""

import pytest

from signals_app.models import StreamPosition
from tests.trades_app.examples import CLOSE_MS, GOLD, bids
from trades_app import models
from trades_app.lifecycle import machine
from trades_app.models import Message
from trades_app.notifications import announcements, kinds, preview

pytestmark = pytest.mark.django_db


def test_a_running_signal_is_shown_as_sent_and_at_the_present_price(
    announced_trade: models.Trade,
) -> None:
    StreamPosition.objects.create(
        instrument="XAUUSD", ordinal=11, time_ms=CLOSE_MS, bid=2050.5, ask=2050.7
    )
    message = preview.find(announced_trade.signal_id)
    assert message is not None
    shown = preview.preview(message)

    assert shown.first == kinds.rendered(message, "EN")
    assert "Current P/L: +$0.00" in shown.first.plain_text
    assert shown.now is not None
    assert "Current P/L: +$250.00 (+50 pips)" in shown.now.plain_text


def test_an_ended_one_is_shown_with_its_result(announced_trade: models.Trade) -> None:
    trade, events = machine.advance(announced_trade.value(), GOLD, bids(2055.1, 2065.1))
    announced_trade.fill(trade)
    announced_trade.save()
    announcements.announce_events(announced_trade.signal, trade, events, GOLD, [None] * len(events))
    card = preview.find(f"signal:{announced_trade.signal_id}")
    answer = preview.find(f"trade:{announced_trade.signal_id}:TP2_HIT")
    assert card is not None
    assert answer is not None

    now = preview.preview(card).now
    assert now is not None
    assert "Progress: [██████████] 100%" in now.plain_text
    assert preview.preview(answer).now is None


def test_what_is_not_there_is_not_found(db: None) -> None:
    assert preview.find("XAU_20240105_009") is None
    assert not Message.objects.exists()
