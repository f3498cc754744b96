"""Cards follow their trades: seldom, only where people read something new, and to the end."""

import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from signals_app.models import Instrument, Signal, StreamPosition
from tests.stand_ins.telegram_api import Law, TelegramApi
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SIGNAL, bids
from trades_app import models
from trades_app.lifecycle import machine
from trades_app.lifecycle.trade import Trade
from trades_app.models import Channel, ChannelDelivery
from trades_app.notifications import announcements, delivery
from trades_app.trading.events import store_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(signal: Signal) -> models.Trade:
    """The example's trade, open and announced, its channel there before."""
    from signals_app.confluence.parameters import Parameters

    Channel.objects.create(
        chat="@gold", origin="INSTRUMENT", opened_at=timezone.now() - timedelta(days=1)
    )
    trade, events = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    row = models.Trade(signal=signal)
    row.fill(trade)
    row.save(force_insert=True)
    store_events(row, events, first_number=1)
    announcements.announce_signal(signal, GOLD, trade, None)
    price(2045.3)
    return row


def price(bid: float) -> None:
    StreamPosition.objects.update_or_create(
        instrument="XAUUSD",
        defaults={"ordinal": 11, "time_ms": CLOSE_MS, "bid": bid, "ask": bid + 0.2},
    )


def move(row: models.Trade, *prices: float, first_ordinal: int = 11) -> Trade:
    trade, events = machine.advance(row.value(), GOLD, bids(*prices, first_ordinal=first_ordinal))
    row.fill(trade)
    row.save()
    announcements.announce_events(row.signal, trade, events, GOLD, [None] * len(events))
    return trade


def deliver() -> None:
    Channel.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    delivery.deliver()


def card(api: TelegramApi) -> str:
    return api.messages[-1001, 1]["text"]


def test_a_card_shows_the_floating_result_and_is_edited_when_it_changes(
    row: models.Trade, telegram_api: TelegramApi, settings: Settings
) -> None:
    settings.TELEGRAM_EDIT_SECONDS = 0.001
    deliver()
    price(2050.5)
    deliver()

    # 0.5 lots of 100 ounces, five dollars up.
    assert "Current P/L: +$250.00 (+50 pips)" in card(telegram_api)
    assert "Progress: [██░░░░░░░░] 25%" in card(telegram_api)
    edits = len(telegram_api.edits)
    deliver()
    assert len(telegram_api.edits) == edits


def test_progress_waits_twenty_seconds_in_a_chat_and_the_latest_price_wins(
    row: models.Trade, telegram_api: TelegramApi, settings: Settings
) -> None:
    for step in range(5):
        deliver()
        price(2046.5 + step)
    assert telegram_api.edits == []

    Channel.objects.update(progress_edited_at=timezone.now() - timedelta(seconds=20))
    deliver()
    assert len(telegram_api.edits) == 1
    assert "+$250.00" in card(telegram_api)


def test_ends_are_replies_and_stay_in_the_card_without_waiting(
    row: models.Trade, telegram_api: TelegramApi
) -> None:
    deliver()
    price(2046.5)
    deliver()
    move(row, 2055.0, 2065.0)

    deliver()

    replies = [m for (_, number), m in telegram_api.messages.items() if number > 1]
    assert [reply["text"].split("\n")[0][:1] for reply in replies] == ["🎯", "🏁"]
    assert {reply["reply_to_message"]["message_id"] for reply in replies} == {1}
    assert "Progress: [██████████] 100%" in card(telegram_api)
    assert ChannelDelivery.objects.get(message__kind="SIGNAL").card == "FINAL"
    before = len(telegram_api.calls)
    deliver()
    assert len(telegram_api.calls) == before


def test_an_edit_that_changes_nothing_is_success(
    row: models.Trade, telegram_api: TelegramApi
) -> None:
    deliver()
    # As after a crash between the edit and the commit.
    ChannelDelivery.objects.filter(message__kind="SIGNAL").update(card_digest="")
    Channel.objects.update(progress_edited_at=None)

    deliver()

    assert ChannelDelivery.objects.get(message__kind="SIGNAL").card == "LIVE"
    assert Channel.objects.get().failures == 0


def test_a_card_that_an_admin_deleted_is_noted_and_not_edited_again(
    row: models.Trade, telegram_api: TelegramApi
) -> None:
    deliver()
    telegram_api.delete(-1001, 1)
    Channel.objects.update(progress_edited_at=None)

    deliver()
    move(row, 2039.0)
    deliver()

    gone = ChannelDelivery.objects.get(message__kind="SIGNAL")
    assert (gone.card, gone.error) == ("GONE", "Message to edit not found")
    edits = [method for method, _ in telegram_api.calls if method.startswith("edit")]
    assert len(edits) == 1
    # The end is told all the same, under no card.
    assert telegram_api.texts()[0].startswith("🛑 Stop reached")


def test_channels_without_live_cards_are_left_as_they_were_sent(
    row: models.Trade, telegram_api: TelegramApi
) -> None:
    Channel.objects.update(edits_cards=False)
    deliver()
    price(2050.5)
    deliver()

    assert telegram_api.edits == []
    assert Instrument.objects.filter(telegram_channel="@gold").exists()


def updates(
    row: models.Trade, api: TelegramApi, settings: Settings, *, number: int, seconds: float
) -> None:
    """So many prices in so many seconds, delivered as the sweep does, and then both targets."""
    settings.TELEGRAM_CHAT_SECONDS, settings.TELEGRAM_CHAT_PER_MINUTE = 1.0, 20
    api.law = Law()
    deliver()
    began = time.monotonic()
    for step in range(number):
        price(2046.0 + step % 8)
        if time.monotonic() - began < step * seconds / number:
            time.sleep(seconds / number)
        if step % (number // 50) == 0:
            delivery.deliver()
    price(2065.0)
    move(row, 2055.0, 2065.0)
    ended = time.monotonic()
    while not ChannelDelivery.objects.filter(card="FINAL").exists():
        assert time.monotonic() - ended < 180
        delivery.deliver()
        time.sleep(0.1)
    # The stand-in counted: no more than twenty calls of the chat in any minute.
    assert api.violations == []
    assert [text.split(" ")[0] for text in api.texts()[1:]] == ["🎯", "🏁"]
    assert "Progress: [██████████] 100%" in card(api)
    assert "Current P/L: +$725.00 (+145 pips)" in card(api)


def test_a_hundred_updates_in_seconds_keep_the_law_and_end_right(
    row: models.Trade, telegram_api: TelegramApi, settings: Settings
) -> None:
    settings.TELEGRAM_EDIT_SECONDS = 1.5
    updates(row, telegram_api, settings, number=100, seconds=6)
    moments = [moment for moment, *_ in telegram_api.edits[:-1]]
    assert all(later - earlier > 1.4 for earlier, later in pairwise(moments))
    assert moments


@pytest.mark.long
def test_a_thousand_updates_in_a_minute_keep_the_law_and_end_right(
    row: models.Trade, telegram_api: TelegramApi, settings: Settings
) -> None:
    settings.TELEGRAM_EDIT_SECONDS = 0.5
    updates(row, telegram_api, settings, number=1000, seconds=60)
    assert len(telegram_api.edits) > 10
