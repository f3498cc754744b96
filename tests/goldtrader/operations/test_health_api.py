"""Health over HTTP: public in short, in detail with a key."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings
from redis import Redis
from rest_framework.test import APIClient

from goldtrader.operations import health, heartbeats
from goldtrader.store import store
from signals_app.models import Connector, StreamPosition
from tests.callers import API, caller, error
from tests.trades_app.examples import CLOSE_MS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered(redis_client: Redis) -> Iterator[None]:
    store.cache_clear()
    health.forget()
    yield
    store.cache_clear()
    health.forget()


def test_without_a_key_there_are_no_details() -> None:
    body = APIClient().get(f"{API}/health").json()

    assert set(body) == {"status", "components"}


def test_with_a_key_feed_connectors_workers_and_queues_are_shown() -> None:
    StreamPosition.objects.create(instrument="XAUUSD", ordinal=7, time_ms=CLOSE_MS)
    StreamPosition.objects.create(instrument="EURUSD")
    Connector.objects.create(name="mt5", symbols=["XAUUSD"], roles={"XAUUSD": "active"})
    heartbeats.record_worker("pipeline@host", ("ticks",))

    details = caller().get(f"{API}/health").json()["details"]

    assert {name: feed["ticks"] for name, feed in details["feed"].items()} == {
        "EURUSD": 0,
        "XAUUSD": 7,
    }
    assert details["feed"]["XAUUSD"]["last_tick"] == "2024-01-05T14:30:00Z"
    assert details["feed"]["EURUSD"]["last_tick"] is None
    assert details["connectors"]["mt5"]["roles"] == {"XAUUSD": "active"}
    assert details["workers"] == {"pipeline@host": ["ticks"]}
    assert details["queues"]["ticks"] == 0


def test_a_key_of_any_scope_may_look() -> None:
    assert "details" in caller("connector").get(f"{API}/health").json()


def test_a_wrong_key_is_refused_as_anywhere_else() -> None:
    response = APIClient().get(f"{API}/health", HTTP_AUTHORIZATION="Api-Key nonsense")

    assert response.status_code == 401
    assert response.json() == error("authentication_failed", "The API key is unknown or revoked.")


def test_an_address_that_is_not_allowed_gets_no_details(settings: Settings) -> None:
    settings.API_ALLOWED_IPS = ["10.0.0.0/8"]

    response = caller().get(f"{API}/health", REMOTE_ADDR="11.1.2.3")

    assert "details" not in response.json()


def test_without_redis_its_details_are_null(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    store.cache_clear()

    details = caller().get(f"{API}/health").json()["details"]

    assert (details["workers"], details["queues"]) == (None, None)
