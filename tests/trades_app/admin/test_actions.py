"""What an operator does to trades from the pages of signals and strategies."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from signals_app.models import Decision, Strategy, StreamPosition
from tests.trades_app.admin.pages import act
from tests.trades_app.examples import CLOSE_MS, SIGNAL
from tests.trades_app.rows import stored_signal
from trades_app.models import Trade

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def position() -> Iterator[StreamPosition]:
    """Gold's stream; no task is sent anywhere."""
    with patch("celery.app.task.Task.delay"):
        yield StreamPosition.objects.create(instrument="XAUUSD", ordinal=20)


def test_a_trade_that_waits_for_its_ticks_is_cancelled(admin_client: Client) -> None:
    stored_signal()
    Decision.objects.create(
        instrument="XAUUSD",
        close_time_ms=CLOSE_MS,
        entry_ordinal=10,
        entry_time_ms=CLOSE_MS + 400,
        entry_bid=2045.3,
        entry_ask=2045.5,
        outcome=Decision.Outcome.OPENING,
    )
    page = "signals_app_signal"

    said = act(admin_client, page, "cancel_waiting_trade", SIGNAL.signal_id)
    again = act(admin_client, page, "cancel_waiting_trade", SIGNAL.signal_id)

    assert said == ["The trade of XAU_20240105_001 was cancelled before it opened."]
    assert again == ["XAU_20240105_001 cannot be cancelled: its trade was opened or cancelled."]
    assert Trade.objects.get().status == "CANCELLED"


def test_who_may_not_change_trades_cancels_none(client: Client) -> None:
    reader = User.objects.create_superuser("reader", password="x")
    reader.is_superuser = False
    reader.save()
    client.force_login(reader)
    stored_signal()

    address = reverse("admin:signals_app_signal_changelist")
    done = client.post(
        address, {"action": "cancel_waiting_trade", "_selected_action": [SIGNAL.signal_id]}
    )

    assert done.status_code == 403
    assert not Trade.objects.exists()


def test_a_version_begins_in_shadow_and_is_retired_or_refused_in_a_sentence(
    admin_client: Client,
) -> None:
    live = Strategy.objects.live()
    second = Strategy.objects.create(
        name="default", version=2, status=Strategy.Status.RETIRED, parameters={"threshold": 85}
    )
    page = "signals_app_strategy"

    begun = act(admin_client, page, "begin_shadow", second.pk)
    retired = act(admin_client, page, "retire_shadow", live.pk, second.pk)

    assert begun == ["default v2 runs in shadow from the next close on."]
    assert retired[1:] == ["default v2 is retired; its open trades run on."]
    assert "default v1" in retired[0]
    assert Strategy.objects.get(pk=second.pk).status == Strategy.Status.RETIRED
