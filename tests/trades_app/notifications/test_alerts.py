"""An alert is one message and one connector event, however often it is found."""

from datetime import UTC, datetime, timedelta

import pytest

from signals_app.models import ConnectorEvent
from trades_app.models import Message
from trades_app.notifications.alerts import pass_on_reports, raise_alert
from trades_app.notifications.content.alerts import ConnectorHeard, FeedFlowing
from trades_app.notifications.kinds import text_of

pytestmark = pytest.mark.django_db


def test_an_alert_is_raised_once_and_kept_as_a_connector_event() -> None:
    alert = FeedFlowing(symbol="XAUUSD", stale_seconds=600)

    assert raise_alert(alert, "alert:flowing:XAUUSD:1") is True
    assert raise_alert(alert, "alert:flowing:XAUUSD:1") is False

    sentence = "XAUUSD: ticks flow again, 10 min after the alert. Missed ticks were used."
    message, event = Message.objects.get(), ConnectorEvent.objects.get()
    assert (event.connector, event.code, event.instrument) == ("watch", "FEED_FLOWING", "XAUUSD")
    assert event.message == sentence
    assert (message.instrument, message.addressee) == ("XAUUSD", "OPERATORS")
    assert text_of(message) == f"✅ {sentence}"


def test_an_alert_about_a_connector_is_its_own_event() -> None:
    raise_alert(ConnectorHeard(connector="mt5"), "alert:heard:mt5:1")

    event = ConnectorEvent.objects.get()
    assert (event.connector, event.instrument) == ("mt5", "")


def test_reports_of_the_last_hour_are_passed_on_once_and_in_their_order() -> None:
    now = datetime.now(UTC)
    for code, minutes in (("PROMOTED", 30), ("MT5_DISCONNECTED", 40), ("MT5_RECONNECTED", 61)):
        event = ConnectorEvent.objects.create(connector="mt5", code=code, instrument="XAUUSD")
        ago = now - timedelta(minutes=minutes)
        ConnectorEvent.objects.filter(pk=event.pk).update(happened_at=ago)

    assert pass_on_reports(now) == 2
    assert pass_on_reports(now) == 0

    assert [text_of(message) for message in Message.objects.order_by("pk")] == [
        "⚠️ MT5_DISCONNECTED XAUUSD (mt5): no details",
        "🔁 PROMOTED XAUUSD (mt5): no details",
    ]
