"""A signal in the database, and Telegram's server imitated."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from signals_app.confluence.parameters import Parameters
from signals_app.models import Instrument, Signal, Strategy
from tests.stand_ins.telegram_api import Law, TelegramApi, serving
from tests.trades_app.examples import ENTRY, GOLD, SIGNAL
from trades_app import models
from trades_app.lifecycle import machine
from trades_app.notifications import announcements


@pytest.fixture
def signal(db: None) -> Signal:
    """The example signal's row, of an instrument with a channel."""
    Instrument.objects.filter(symbol="XAUUSD").update(telegram_channel="@gold")
    row = Signal.of(SIGNAL, Strategy.objects.live())
    row.save(force_insert=True)
    return row


@pytest.fixture
def telegram_api(settings: Settings) -> Iterator[TelegramApi]:
    """A Bot API of our own, which the settings point at."""
    law = Law(chat_seconds=0.02, chat_per_minute=1000)
    settings.TELEGRAM_CHAT_SECONDS = law.chat_seconds
    settings.TELEGRAM_CHAT_PER_MINUTE = law.chat_per_minute
    settings.TELEGRAM_TIMEOUT = 1.0
    with serving(TelegramApi(law=law)) as api:
        settings.TELEGRAM_BOT_TOKEN = api.token
        settings.TELEGRAM_API_BASE_URL = api.base_url
        yield api


@pytest.fixture
def announced_trade(signal: Signal) -> models.Trade:
    """The example signal's open trade, announced."""
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    row = models.Trade(signal=signal)
    row.fill(trade)
    row.save(force_insert=True)
    announcements.announce_signal(signal, GOLD, trade, None)
    return row
