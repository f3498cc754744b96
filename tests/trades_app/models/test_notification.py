"""The outbox's rows: which of them still need channels."""

import pytest

from trades_app.models import Message

pytestmark = pytest.mark.django_db


def message(key: str, **columns: object) -> Message:
    return Message.objects.create(key=key, kind="TRADE", instrument="XAUUSD", text="x", **columns)


def test_what_has_no_deliveries_yet_comes_oldest_first() -> None:
    first, second = message("1"), message("2")
    message("3", status="SENT")
    message("4", routed_at=first.created_at)

    assert list(Message.objects.unrouted()) == [first, second]


def test_a_message_says_whether_its_prices_are_made_up() -> None:
    assert message("1", data={"is_simulated": True}).is_simulated
    assert not message("2", data={}).is_simulated
