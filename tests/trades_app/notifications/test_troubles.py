"""What Telegram refuses has its consequence once, and operators learn of it once."""

import pytest
from pytest_django.fixtures import Settings

from trades_app.models import Channel, ChannelDelivery, Message
from trades_app.notifications import troubles
from trades_app.notifications.kinds import text_of
from trades_app.notifications.telegram.outcomes import ChatClosed, ChatMigrated

pytestmark = pytest.mark.django_db


def alerts() -> list[str]:
    return [text_of(row) for row in Message.objects.filter(kind="ALERT").order_by("pk")]


def delivery(kind: str, channel: Channel, key: str) -> ChannelDelivery:
    message = Message.objects.create(key=key, kind=kind, instrument="XAUUSD", text="x")
    return ChannelDelivery.objects.create(message=message, channel=channel, copies=3)


def test_a_parked_channel_is_told_once_and_its_return_too() -> None:
    channel = Channel.objects.create(chat="@gold")

    troubles.park(channel, ChatClosed("bot was kicked"))
    troubles.park(channel, ChatClosed("bot was kicked"))
    channel.refresh_from_db()
    troubles.reopen(channel)
    troubles.reopen(channel)

    assert [text.split(":")[0] for text in alerts()] == [
        "⚠️ Telegram chat @gold takes no messages",
        "✅ Telegram chat @gold takes messages again.",
    ]


def test_a_groups_new_id_is_told() -> None:
    troubles.park(Channel.objects.create(chat="-5"), ChatMigrated(-1005))

    assert alerts()[0].startswith("⚠️ Telegram chat -5 is now -1005")


def test_refusals_are_told_once_an_hour_and_never_of_alerts() -> None:
    channel = Channel.objects.create(chat="@gold")
    for number in range(3):
        troubles.refused(delivery("TRADE", channel, f"t{number}"), channel, "too long")
    troubles.unconfirmed(delivery("TRADE", channel, "u"), channel)
    before = Message.objects.count()
    troubles.refused(delivery("ALERT", channel, "a"), channel, "too long")
    troubles.unconfirmed(delivery("ALERT", channel, "b"), channel)

    assert Message.objects.count() == before + 2
    told = alerts()
    assert "⚠️ Telegram refused t0 for @gold: too long." in told
    assert any(text.startswith("⚠️ Whether u stands in @gold is not known") for text in told)


def test_a_refused_token_is_told_once(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = "123456:TOKEN"
    troubles.park_bot("Telegram does not accept the bot's token")
    troubles.park_bot("Telegram does not accept the bot's token")

    assert len(alerts()) == 1
