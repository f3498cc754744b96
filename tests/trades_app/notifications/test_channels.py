"""Channels of instruments and environment get rows, and each message finds those of its readers."""

import pytest
from pytest_django.fixtures import Settings

from signals_app.models import Instrument
from trades_app.models import Channel, Message
from trades_app.notifications import channels
from trades_app.notifications.channels import Directory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _bot(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = "123456:TOKEN"


def message(kind: str = "SIGNAL", instrument: str = "XAUUSD", **columns: object) -> Message:
    return Message(key="x", kind=kind, instrument=instrument, text="x", **columns)


def alert() -> Message:
    return message("ALERT", addressee="OPERATORS")


def names(given: Message, **options: bool) -> set[str]:
    channels.sync()
    return {str(channel) for channel in Directory().of(given, **options)}


def test_channels_of_instruments_and_operators_get_rows_once(settings: Settings) -> None:
    Instrument.objects.filter(symbol="XAUUSD").update(telegram_channel="https://t.me/gold")
    Instrument.objects.filter(symbol="EURUSD").update(telegram_channel="not a chat!")
    settings.OPERATOR_TELEGRAM_CHANNEL = "operators"

    channels.sync()
    channels.sync()

    rows = set(Channel.objects.values_list("chat", "audience", "origin"))
    assert rows == {
        ("@gold", "FOLLOWERS", "INSTRUMENT"),
        ("@operators", "OPERATORS", "ENVIRONMENT"),
    }
    assert not Channel.objects.filter(opened_at=None).exists()


def test_without_a_bot_no_channel_is_opened(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    Channel.objects.create(chat="@gold")

    channels.sync()

    assert Channel.objects.get().opened_at is None
    assert not Directory()


def test_a_message_goes_to_all_channels_of_its_readers(settings: Settings) -> None:
    Instrument.objects.filter(symbol="XAUUSD").update(telegram_channel="@gold")
    settings.OPERATOR_TELEGRAM_CHANNEL = "@operators"
    Channel.objects.create(chat="@everything")
    euro = Channel.objects.create(chat="@euro", audience="MIRROR")
    euro.instruments.set(["EURUSD"])
    Channel.objects.create(chat="@reports", signals="NOT")
    Channel.objects.create(chat="@off", is_active=False)

    assert names(message()) == {"@gold", "@everything"}
    assert names(message(instrument="EURUSD")) == {"@everything", "@euro"}
    assert names(message("REPORT")) == {"@gold", "@everything", "@reports"}
    assert names(alert()) == {"@operators"}


def test_one_chat_may_be_followers_and_operators_at_once(settings: Settings) -> None:
    Instrument.objects.filter(symbol="XAUUSD").update(telegram_channel="@mine")
    settings.OPERATOR_TELEGRAM_CHANNEL = "@mine"

    assert names(message()) == names(alert()) == {"@mine"}


def test_made_up_prices_go_where_they_are_asked_for(settings: Settings) -> None:
    Channel.objects.create(chat="@real")
    Channel.objects.create(chat="@trial", sends_simulated=True)
    made_up = message(data={"is_simulated": True})

    assert names(made_up) == {"@trial"}
    assert names(made_up, asked=True) == {"@real", "@trial"}
    settings.TELEGRAM_SIMULATED = True
    assert names(made_up) == {"@real", "@trial"}


def test_an_allow_list_has_names_or_numbers(settings: Settings) -> None:
    channel = Channel(chat="@gold", chat_id=-1001)
    assert channels.is_allowed(channel)
    for allowed, is_there in (("t.me/gold", True), ("-1001", True), ("@silver", False)):
        settings.TELEGRAM_ALLOWED_CHATS = [allowed]
        assert channels.is_allowed(channel) is is_there


def test_a_supergroups_id_is_taken_over_in_the_instruments_row_too() -> None:
    Instrument.objects.filter(symbol="XAUUSD").update(telegram_channel="-5")
    channels.sync()
    channel = Channel.objects.get()
    with pytest.raises(channels.NoNewId, match="did not become"):
        channels.take_new_id(channel)
    channel.migrated_to, channel.access = "-1005", "PARKED"

    channels.take_new_id(channel)
    channels.sync()

    assert Channel.objects.values_list("chat", "access", "migrated_to").get() == (
        *("-1005", "UNCHECKED", ""),
    )
    assert Instrument.objects.get(symbol="XAUUSD").telegram_channel == "-1005"


def test_an_id_that_the_environment_names_is_changed_there() -> None:
    channel = Channel(chat="-5", origin="ENVIRONMENT", migrated_to="-1005")

    with pytest.raises(channels.NoNewId, match="OPERATOR_TELEGRAM_CHANNEL=-1005"):
        channels.take_new_id(channel)
