"""Who is refused again and again has to wait, whatever it sends next."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from goldtrader.access import refused_callers
from tests.callers import API, caller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_client", "few")]


@pytest.fixture
def few(settings: Settings) -> Iterator[None]:
    settings.API_REFUSED_LIMIT = "3/hour"
    refused_callers.forget()
    yield
    refused_callers.forget()


def statuses(client: Client, times: int, **sent: str) -> list[int]:
    return [client.get(f"{API}/signals", **sent).status_code for _ in range(times)]


@pytest.mark.parametrize(("key", "status"), [("", 401), ("abcdefgh.wrong", 401)])
def test_an_address_without_a_good_key_has_to_wait(key: str, status: int) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}" if key else "")

    assert statuses(client, 5, REMOTE_ADDR="10.0.0.1") == [status] * 3 + [429] * 2
    refused = client.get(f"{API}/signals", REMOTE_ADDR="10.0.0.1")
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert refused.json()["error"]["code"] == "throttled"
    assert statuses(client, 1, REMOTE_ADDR="10.0.0.2") == [status]


def test_a_key_that_may_not_do_it_is_counted_too() -> None:
    client = caller("connector")

    assert statuses(client, 4) == [403, 403, 403, 429]


def test_a_network_of_64_bits_waits_as_one_address() -> None:
    client = APIClient()

    assert statuses(client, 3, REMOTE_ADDR="2001:db8::1") == [401] * 3
    assert statuses(client, 1, REMOTE_ADDR="2001:db8::ffff:2") == [429]
    assert statuses(client, 1, REMOTE_ADDR="2001:db8:0:1::1") == [401]


def test_behind_a_trusted_proxy_its_callers_are_counted(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    client = APIClient()

    assert statuses(client, 4, HTTP_X_FORWARDED_FOR="6.6.6.6, 10.0.0.1")[-1] == 429
    assert statuses(client, 1, HTTP_X_FORWARDED_FOR="10.0.0.1, 10.0.0.2") == [401]


def test_a_header_that_no_proxy_wrote_helps_nobody() -> None:
    client = APIClient()
    last = [
        client.get(f"{API}/signals", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}").status_code
        for number in range(5)
    ]

    assert last[-2:] == [429, 429]


def test_whoever_is_let_in_is_not_counted() -> None:
    assert statuses(caller(), 10) == [200] * 10


def test_no_more_refusals_come_than_the_rate_limit_lets_through(settings: Settings) -> None:
    settings.API_REFUSED_LIMIT, settings.API_RATE_LIMIT = "100/hour", "2/hour"

    assert statuses(APIClient(), 3) == [401, 401, 429]


def test_other_processes_learn_of_it_by_their_next_refusal() -> None:
    client = APIClient()
    statuses(client, 4)
    # As another process: it has not heard of anybody.
    refused_callers.forget()

    assert statuses(client, 1) == [429]
