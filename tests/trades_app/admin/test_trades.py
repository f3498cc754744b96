"""What an operator does with trades, and the sentence that is given back."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from signals_app.models import StreamPosition
from tests.trades_app.admin.pages import act
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import numbered, stored_trade

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def position() -> Iterator[StreamPosition]:
    """Gold's stream; no task is sent anywhere."""
    with patch("celery.app.base.Celery.send_task"), patch("celery.app.task.Task.delay"):
        yield StreamPosition.objects.create(
            instrument="XAUUSD", ordinal=20, time_ms=CLOSE_MS + 60_000, bid=2048.0, ask=2048.2
        )


def test_open_trades_are_ordered_to_close_and_others_refused_in_a_sentence(
    admin_client: Client,
) -> None:
    over = stored_trade(numbered(1), 2039.0)
    running = stored_trade(numbered(2))

    said = act(admin_client, "trades_app_trade", "close_by_hand", over.pk, running.pk)

    assert said == [
        "XAU_20240105_001 cannot be closed: it is TRADE_CLOSED.",
        "XAU_20240105_002 closes at the next tick, whatever its price.",
    ]
    running.refresh_from_db()
    assert (running.is_open, running.close_after_ordinal) == (True, 20)
    page = admin_client.get(reverse("admin:trades_app_trade_changelist")).content.decode()
    assert "by hand, at the next tick" in page
    (entry,) = LogEntry.objects.all()
    assert (entry.object_id, entry.user.username) == (str(running.pk), "admin")


def test_who_may_only_look_closes_nothing(client: Client) -> None:
    reader = User.objects.create_user("reader", password="x", is_staff=True)
    client.force_login(reader)
    trade = stored_trade()

    address = reverse("admin:trades_app_trade_changelist")
    done = client.post(address, {"action": "close_by_hand", "_selected_action": [trade.pk]})

    assert done.status_code == 403
    trade.refresh_from_db()
    assert trade.is_open
