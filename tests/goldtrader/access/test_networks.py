"""Who may open pages and read the metrics."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

TOKEN = "t" * 32
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.mark.parametrize("path", ["/", "/admin/", "/admin/login/", "/nowhere"])
def test_pages_are_closed_to_addresses_outside_the_admins_networks(settings, path: str) -> None:
    settings.ADMIN_ALLOWED_IPS = ["192.0.2.0/24"]
    client = Client()

    assert client.get(path, **ELSEWHERE).status_code == 403
    assert client.get(path, REMOTE_ADDR="192.0.2.7").status_code in {200, 302, 404}
    # 503 here, where no gateway runs: what matters is that it answers.
    assert client.get("/api/v1/health", **ELSEWHERE).status_code in {200, 503}


def test_without_a_list_pages_are_open_to_every_address(settings) -> None:
    settings.ADMIN_ALLOWED_IPS = []
    assert Client().get("/admin/login/", **ELSEWHERE).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        (ELSEWHERE, 403),
        # A proxy on this machine that nobody told us of: every caller seems to be it.
        ({"HTTP_X_FORWARDED_FOR": "203.0.113.9"}, 403),
        ({**ELSEWHERE, "HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}, 200),
        ({**ELSEWHERE, "HTTP_AUTHORIZATION": f"bearer {TOKEN}"}, 200),
        ({"HTTP_X_FORWARDED_FOR": "203.0.113.9", "HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}, 200),
        ({**ELSEWHERE, "HTTP_AUTHORIZATION": "Bearer é"}, 403),
        ({**ELSEWHERE, "HTTP_AUTHORIZATION": "Bearer "}, 403),
        ({**ELSEWHERE, "HTTP_AUTHORIZATION": f"Api-Key {TOKEN}"}, 403),
    ],
)
def test_metrics_are_for_this_machine_or_a_token(settings, headers: dict, status: int) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert Client().get("/metrics", **headers).status_code == status


def test_without_a_token_none_opens_the_metrics(settings) -> None:
    settings.METRICS_TOKEN = ""
    answer = Client().get("/metrics", HTTP_AUTHORIZATION="Bearer ", **ELSEWHERE)

    assert answer.status_code == 403
    assert "METRICS_ALLOWED_IPS" in answer.content.decode()


def test_behind_a_trusted_proxy_the_callers_own_address_counts(settings) -> None:
    settings.TRUSTED_PROXIES = 1
    client = Client()

    assert client.get("/metrics", HTTP_X_FORWARDED_FOR="203.0.113.9").status_code == 403
    assert client.get("/metrics", HTTP_X_FORWARDED_FOR="127.0.0.1").status_code == 200
