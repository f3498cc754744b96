"""The rate limit, counted by key in Redis."""

import pytest
from pytest_django import Settings
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from goldtrader.access.throttling import KeyThrottle
from goldtrader.store import store
from tests.callers import API, caller

pytestmark = pytest.mark.django_db


def test_a_key_that_asks_too_much_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "goldtrader.access.throttling.KeyThrottle.THROTTLE_RATES", {"key": "2/hour"}
    )
    client, other = caller(), caller()

    answers = [client.get(f"{API}/signals") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 3600
    assert answers[2].json()["error"]["code"] == "throttled"
    assert other.get(f"{API}/signals").status_code == 200


def test_without_redis_the_api_answers_uncounted(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    store.cache_clear()

    assert caller().get(f"{API}/signals").status_code == 200
    store.cache_clear()


def test_callers_without_a_key_are_counted_by_their_address() -> None:
    request = APIView().initialize_request(APIRequestFactory().get("/", REMOTE_ADDR="10.1.2.3"))

    assert KeyThrottle().get_cache_key(request, APIView()) == "throttle:address:10.1.2.3"
