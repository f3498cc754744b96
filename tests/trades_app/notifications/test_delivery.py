"""Messages leave the outbox once, in order, and stay where they cannot leave."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from signals_app.models import Signal
from tests.stand_ins.telegram_api import TelegramApi
from trades_app.models import Message
from trades_app.notifications import delivery, outbox
from trades_app.notifications.content.alerts import ConnectorHeard
from trades_app.notifications.outbox import Subject

pytestmark = pytest.mark.django_db


def put(signal: Signal, key: str, text: str = "hello") -> Message:
    return Message.objects.create(
        key=key, kind="SIGNAL", instrument=signal.instrument, signal=signal, text=text
    )


def deliver_all() -> None:
    while delivery.deliver_next():
        pass


def test_a_message_is_sent_once_and_remembers_its_telegram_id(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, f"signal:{signal.pk}")

    deliver_all()
    deliver_all()

    message = Message.objects.get()
    assert telegram_api.texts() == ["hello"]
    assert (message.status, message.telegram_message_id, message.attempts) == ("SENT", 1, 1)
    assert message.sent_at is not None


def test_later_messages_of_a_signal_answer_its_announcement(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, f"signal:{signal.pk}", "announcement")
    put(signal, f"trade:{signal.pk}:TP1_HIT", "first target")

    deliver_all()

    reply = telegram_api.messages[-1001, 2]
    assert reply["text"] == "first target"
    assert reply["reply_to_message"]["text"] == "announcement"


def test_without_a_token_messages_stay(signal: Signal, settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    put(signal, "signal:x")

    deliver_all()

    assert Message.objects.get().status == "WAITING"
    assert outbox.unsent() == 0


def test_a_pause_that_telegram_asks_for_is_kept(signal: Signal, telegram_api: TelegramApi) -> None:
    put(signal, "signal:x")
    telegram_api.faults = [(429, "Too Many Requests: retry after 30", 30)]

    before = timezone.now()
    deliver_all()

    message = Message.objects.get()
    assert message.status == "WAITING"
    assert message.not_before >= before + timedelta(seconds=30)
    assert telegram_api.texts() == []


@pytest.mark.parametrize("status", [500, 502])
def test_an_outage_postpones_and_the_order_is_kept(
    status: int, signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, f"signal:{signal.pk}", "first")
    put(signal, f"trade:{signal.pk}:TP1_HIT", "second")
    telegram_api.faults = [(status, "Bad Gateway", None)]

    deliver_all()
    assert telegram_api.texts() == []

    Message.objects.update(not_before=timezone.now())
    deliver_all()
    assert telegram_api.texts() == ["first", "second"]


def test_what_telegram_will_never_take_is_kept_with_its_reason(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    telegram_api.chats = {}
    put(signal, "signal:x")

    deliver_all()

    message = Message.objects.get()
    assert (message.status, message.error) == ("FAILED", "Chat not found")


def test_a_wrong_token_is_said(
    signal: Signal, telegram_api: TelegramApi, settings: Settings
) -> None:
    settings.TELEGRAM_BOT_TOKEN = "123456:WRONG"
    put(signal, "signal:x")

    deliver_all()

    message = Message.objects.get()
    assert message.status == "FAILED"
    assert "rejected by the server" in message.error


def test_a_message_whose_worker_died_is_sent_by_the_next(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    message = put(signal, "signal:x")
    Message.objects.update(status="SENDING", claimed_at=timezone.now() - timedelta(minutes=3))

    deliver_all()
    assert telegram_api.texts() == []

    assert outbox.release_lost_claims() == 1
    deliver_all()
    message.refresh_from_db()
    assert message.status == "SENT"


def test_alerts_go_to_the_operators_and_not_to_followers(
    telegram_api: TelegramApi, settings: Settings
) -> None:
    Message.objects.create(
        key="alert:x",
        kind="ALERT",
        addressee="OPERATORS",
        instrument="XAUUSD",
        text="no tick",
    )
    assert delivery.deliver_next() is False
    assert outbox.unsent() == 0

    settings.OPERATOR_TELEGRAM_CHANNEL = "@gold"
    assert outbox.unsent() == 1
    assert delivery.deliver_next() is True

    assert telegram_api.texts() == ["no tick"]


def test_the_text_is_made_of_the_data_when_it_is_sent(
    telegram_api: TelegramApi, settings: Settings
) -> None:
    settings.OPERATOR_TELEGRAM_CHANNEL = "@gold"
    subject = Subject.for_operators()
    outbox.put(Message.Kind.ALERT, subject, "alert:x", ConnectorHeard(connector="mt5"))

    deliver_all()

    assert telegram_api.texts() == ["✅ Connector mt5 is heard again."]


def test_a_message_whose_text_cannot_be_made_holds_up_no_other(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, f"signal:{signal.pk}", "")
    put(signal, f"trade:{signal.pk}:TP1_HIT", "second")

    deliver_all()

    failed = Message.objects.get(key=f"signal:{signal.pk}")
    assert failed.status == "FAILED"
    assert failed.error.startswith(f"The text of signal:{signal.pk} cannot be made: ")
    assert telegram_api.texts() == ["second"]
