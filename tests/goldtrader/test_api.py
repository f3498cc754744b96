"""What every endpoint has in common: keys, addresses, limits and one shape of error."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from goldtrader.access import addresses
from goldtrader.models import ApiKey
from goldtrader.store import store
from tests.callers import API, caller

pytestmark = pytest.mark.django_db


def error(code: str, message: str) -> dict[str, object]:
    return {"error": {"code": code, "message": message}}


def test_without_a_key_nothing_is_shown() -> None:
    response = APIClient().get(f"{API}/signals")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Api-Key"
    assert response.json() == error(
        "not_authenticated", "Send your API key as 'Authorization: Api-Key <key>'."
    )


@pytest.mark.parametrize("key", ["nonsense", "abcdefgh.wrong", "ключ", "a" * 5000])
def test_an_unknown_key_is_refused(key: str) -> None:
    response = APIClient().get(f"{API}/signals", HTTP_AUTHORIZATION=f"Api-Key {key}")

    assert response.status_code == 401
    assert response.json() == error("authentication_failed", "The API key is unknown or revoked.")


def test_a_revoked_key_is_refused() -> None:
    client = caller()
    ApiKey.objects.update(revoked=True)

    assert client.get(f"{API}/signals").status_code == 401


def test_an_expired_key_is_refused() -> None:
    client = caller()
    ApiKey.objects.update(expiry_date=timezone.now() - timedelta(seconds=1))

    response = client.get(f"{API}/signals")

    assert response.json() == error("authentication_failed", "The API key has expired.")


def test_the_key_itself_is_not_stored() -> None:
    _, key = ApiKey.objects.create_key(name="test")

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM api_keys")
        stored = str(cursor.fetchall())

    assert key.partition(".")[2] not in stored


def test_a_read_key_changes_nothing() -> None:
    response = caller("read").post(f"{API}/config/update", {"threshold": 1}, format="json")

    assert response.status_code == 403
    assert response.json() == error(
        "permission_denied", "This needs a key of scope admin; yours is read."
    )


def test_a_connector_key_reads_nothing() -> None:
    response = caller("connector").get(f"{API}/signals")

    assert response.status_code == 403
    assert response.json() == error(
        "permission_denied", "This needs a key of scope admin or read; yours is connector."
    )


def test_only_allowed_addresses_get_in(settings: Settings) -> None:
    settings.API_ALLOWED_IPS = ["10.0.0.0/8", "::1"]
    client = caller()

    assert client.get(f"{API}/signals", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert client.get(f"{API}/signals", REMOTE_ADDR="::ffff:10.1.2.3").status_code == 200
    assert client.get(f"{API}/signals", REMOTE_ADDR="::1").status_code == 200
    refused = client.get(f"{API}/signals", REMOTE_ADDR="11.1.2.3")
    assert refused.status_code == 403
    assert refused.json() == error(
        "permission_denied", "Your address is not allowed to use this API."
    )
    assert client.get(f"{API}/schema", REMOTE_ADDR="11.1.2.3").status_code == 403
    assert client.get(f"{API}/docs", REMOTE_ADDR="11.1.2.3").status_code == 403
    assert client.get(f"{API}/signals", REMOTE_ADDR="").status_code == 403


def test_a_forged_forwarded_address_is_not_believed(settings: Settings) -> None:
    settings.API_ALLOWED_IPS = ["10.0.0.0/8"]
    client = caller()
    forged = {"REMOTE_ADDR": "172.16.0.1", "HTTP_X_FORWARDED_FOR": "10.1.2.3, 9.9.9.9"}

    assert client.get(f"{API}/signals", **forged).status_code == 403
    settings.TRUSTED_PROXIES = 1
    assert client.get(f"{API}/signals", **forged).status_code == 403
    settings.API_ALLOWED_IPS = ["9.9.9.9"]
    assert client.get(f"{API}/signals", **forged).status_code == 200
    settings.TRUSTED_PROXIES = 2
    assert client.get(f"{API}/signals", **forged).status_code == 403


def test_an_allow_list_that_cannot_be_read_is_a_failed_check(settings: Settings) -> None:
    settings.API_ALLOWED_IPS = ["10.0.0.0/8", "the office"]

    (found,) = addresses.check_allowed_networks()

    assert found.msg == (
        "API_ALLOWED_IPS: 'the office' does not appear to be an IPv4 or IPv6 network"
    )


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


@pytest.mark.parametrize("path", ["nothing", "signals/", "trades/x"])
def test_an_unknown_address_is_answered_in_json(path: str) -> None:
    response = caller().get(f"{API}/{path}")

    assert response.status_code == 404
    assert response.json() == error("not_found", "There is nothing at this address.")


def test_a_method_that_does_not_fit_is_refused_in_json() -> None:
    response = caller("admin").delete(f"{API}/signals")

    assert response.status_code == 405
    assert response.json() == error("method_not_allowed", 'Method "DELETE" not allowed.')


def test_a_body_that_is_not_json_is_refused_in_one_sentence() -> None:
    response = caller("admin").post(
        f"{API}/config/update", "{threshold", content_type="application/json"
    )

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "parse_error"


def test_a_fault_of_our_own_shows_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("signals_app.api.views._configuration", fail)

    response = caller().get(f"{API}/config")

    assert response.status_code == 500
    assert response.json() == error(
        "server_error",
        "The server made a mistake, which is in its log; try again or tell the operator.",
    )


def test_a_database_that_is_down_is_answered_with_503(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def fail(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("signals_app.api.views._configuration", fail)

    response = caller().get(f"{API}/config")

    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert response.json()["error"]["code"] == "unavailable"


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", "1.5", "9" * 40, "²"])
def test_a_limit_that_cannot_be_kept_is_refused(limit: str) -> None:
    response = caller().get(f"{API}/signals", {"limit": limit})

    assert response.status_code == 400
    assert response.json() == error("invalid", "limit must be a whole number from 1 to 1000.")


def test_a_cursor_that_is_not_ours_is_refused() -> None:
    response = caller().get(f"{API}/signals", {"cursor": "nonsense"})

    assert response.status_code == 404
    assert response.json() == error("not_found", "Invalid cursor")


def test_the_schema_and_its_docs_are_public(client: Client) -> None:
    schema = client.get(f"{API}/schema?format=json")

    assert schema.status_code == 200
    assert "/api/v1/signals/{signal_id}" in schema.json()["paths"]
    page = client.get(f"{API}/docs").content.decode()
    assert "/api/v1/signals/{signal_id}" in page
    assert "results[].confidence_score" in page


def test_the_root_leads_to_the_admin(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/admin/"
