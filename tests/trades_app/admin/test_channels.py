"""An operator sets chats up, sees what stops them, and mends it."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from trades_app.models import Channel, ChannelDelivery, Message

pytestmark = pytest.mark.django_db
LIST = "admin:trades_app_channel_changelist"
FORM = {
    "chat": "https://t.me/gold",
    "audience": "FOLLOWERS",
    "is_active": "on",
    "signals": "LOUD",
    "trades": "DAYTIME",
    "reports": "SILENT",
    "alerts": "NOT",
    "numbers": "DE",
    "quiet_from": "22:00",
    "quiet_until": "07:00",
    "timezone": "Europe/Berlin",
    "instruments": ["XAUUSD"],
}


def add(client: Client, **changes: object) -> str:
    return client.post(reverse("admin:trades_app_channel_add"), FORM | changes).content.decode()


def act(client: Client, action: str) -> str:
    chosen = list(Channel.objects.values_list("pk", flat=True))
    answer = client.post(reverse(LIST), {"action": action, "_selected_action": chosen}, follow=True)
    return answer.content.decode()


def test_a_chat_is_added_and_its_name_put_right(admin_client: Client) -> None:
    add(admin_client)

    channel = Channel.objects.get()
    assert (channel.chat, channel.numbers, channel.origin) == ("@gold", "DE", "ADMIN")
    assert [each.symbol for each in channel.instruments.all()] == ["XAUUSD"]


def test_what_is_no_chat_is_refused_with_a_sentence(admin_client: Client) -> None:
    assert "names no Telegram chat" in add(admin_client, chat="gold!")
    assert "There is no Telegram bot" in admin_client.get(reverse(LIST)).content.decode()
    assert not Channel.objects.exists()


def test_a_chat_that_is_changed_is_checked_anew(admin_client: Client) -> None:
    add(admin_client)
    Channel.objects.update(chat_id=-1001, access="OPEN", title="Gold")
    page = reverse("admin:trades_app_channel_change", args=(Channel.objects.get().pk,))
    assert "Gold" in admin_client.get(page).content.decode()

    admin_client.post(page, FORM | {"chat": "@silver"})

    channel = Channel.objects.get()
    assert (channel.chat, channel.chat_id, channel.access) == ("@silver", None, "UNCHECKED")


def test_a_parked_chat_says_why_and_is_checked_when_asked(
    admin_client: Client, settings: Settings
) -> None:
    settings.TELEGRAM_BOT_TOKEN = "123456:TOKEN"
    Channel.objects.create(chat="@gold", access="PARKED", problem="bot was kicked", failures=3)

    assert "bot was kicked" in admin_client.get(reverse(LIST)).content.decode()
    assert "1 will be checked." in act(admin_client, "check_now")
    assert (Channel.objects.get().failures, Channel.objects.get().checked_at) == (0, None)


def test_a_supergroups_id_is_taken_over(admin_client: Client) -> None:
    channel = Channel.objects.create(chat="-5", access="PARKED")
    assert "did not become a supergroup" in act(admin_client, "take_new_id")
    Channel.objects.filter(pk=channel.pk).update(migrated_to="-1005")

    assert "-1005 now." in act(admin_client, "take_new_id")
    assert Channel.objects.get().chat == "-1005"


def test_a_chat_that_got_messages_is_switched_off_and_not_removed(admin_client: Client) -> None:
    used, unused = (Channel.objects.create(chat=f"@{name}") for name in ("used", "unused"))
    message = Message.objects.create(key="x", kind="TRADE", instrument="XAUUSD", text="x")
    ChannelDelivery.objects.create(message=message, channel=used)

    for channel in (used, unused):
        page = reverse("admin:trades_app_channel_delete", args=(channel.pk,))
        admin_client.post(page, {"post": "yes"})

    assert Channel.objects.get() == used
