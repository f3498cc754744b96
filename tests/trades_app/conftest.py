"""A signal in the database, and Telegram's server imitated."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from signals_app.models import Instrument, Signal, Strategy
from tests.stand_ins.telegram_api import Law, TelegramApi, serving
from tests.trades_app.examples import SIGNAL


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
