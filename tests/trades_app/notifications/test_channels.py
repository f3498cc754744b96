"""Followers read their instrument's messages, operators the alerts."""

import pytest
from pytest_django.fixtures import Settings

from signals_app.models import Instrument
from trades_app.models import Message
from trades_app.notifications import channels
from trades_app.notifications.channels import Channels

pytestmark = pytest.mark.django_db


def message(key: str, instrument: str, addressee: str = "FOLLOWERS") -> Message:
    return Message.objects.create(
        key=key, kind="SIGNAL", instrument=instrument, addressee=addressee, text="x"
    )


def test_channels_are_those_of_the_instruments_and_the_operators_own(settings: Settings) -> None:
    Instrument.objects.filter(symbol="XAUUSD").update(telegram_channel="@gold")
    settings.OPERATOR_TELEGRAM_CHANNEL = "@operators"
    settings.TELEGRAM_BOT_TOKEN = "123456:TOKEN"

    assert channels.configured() == Channels({"XAUUSD": "@gold"}, "@operators")

    settings.TELEGRAM_BOT_TOKEN = ""
    assert channels.configured() == Channels({}, "")


def test_a_message_goes_to_its_addressees_chat_and_without_one_nowhere() -> None:
    gold, euro = message("signal:1", "XAUUSD"), message("signal:2", "EURUSD")
    alert = message("alert:1", "XAUUSD", "OPERATORS")

    both = Channels({"XAUUSD": "@gold"}, "@operators")
    assert (both.of(gold), both.of(alert)) == ("@gold", "@operators")
    assert set(both.reached(Message.objects.all())) == {gold, alert}
    assert set(Channels({"EURUSD": "@euro"}, "").reached(Message.objects.all())) == {euro}
    assert not Channels({}, "").reached(Message.objects.all()).exists()
