"""An operator reads messages as they will be sent, before and after."""

import pytest
from django.test import Client
from django.urls import reverse

from trades_app.models import Message
from trades_app.notifications import outbox
from trades_app.notifications.content.alerts import ConnectorHeard
from trades_app.notifications.outbox import Subject

pytestmark = pytest.mark.django_db


def page_of(admin_client: Client) -> str:
    address = reverse("admin:trades_app_message_change", args=(Message.objects.get().pk,))
    return admin_client.get(address).content.decode()


def test_the_text_is_shown_as_it_would_be_sent(admin_client: Client) -> None:
    alert = ConnectorHeard(connector="mt5")
    outbox.put(Message.Kind.ALERT, Subject.for_operators(), "alert:1", alert)

    assert "✅ Connector mt5 is heard again." in page_of(admin_client)


def test_a_text_that_cannot_be_made_is_explained(admin_client: Client) -> None:
    Message.objects.create(key="alert:1", kind="ALERT", instrument="", data={"alert": "ODD"})

    assert "The text of alert:1 cannot be made: " in page_of(admin_client)


def test_the_list_says_that_there_is_no_bot(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:trades_app_message_changelist")).content.decode()

    assert "There is no Telegram bot: messages stay here to be read." in page
