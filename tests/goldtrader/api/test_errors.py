"""Every refusal of the API is JSON with a code and one sentence."""

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError, OperationalError
from django.test import Client
from rest_framework.exceptions import ErrorDetail

from goldtrader.api.errors import sentence_of
from tests.callers import API, caller, error

pytestmark = pytest.mark.django_db


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
    def fail(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("signals_app.api.views._configuration", fail)

    response = caller().get(f"{API}/config")

    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert response.json()["error"]["code"] == "unavailable"


@pytest.mark.parametrize(
    ("exception", "status"),
    [
        (DataError("integer out of range"), 400),
        (ValidationError("not a date"), 400),
        (SuspiciousOperation("odd"), 400),
        (RequestDataTooBig("odd"), 413),
    ],
)
def test_what_a_request_itself_caused_is_its_fault(
    monkeypatch: pytest.MonkeyPatch, exception: Exception, status: int
) -> None:
    def fail(*_: object) -> None:
        raise exception

    monkeypatch.setattr("signals_app.api.views._configuration", fail)

    response = caller().get(f"{API}/config")

    assert response.status_code == status
    assert str(exception) not in response.content.decode()


def test_a_host_that_is_not_ours_is_refused_in_the_form_of_its_place(client: Client) -> None:
    client.raise_request_exception = False
    api = client.get(f"{API}/signals/", HTTP_HOST="elsewhere.example")
    page = client.get("/admin/login", HTTP_HOST="elsewhere.example")

    assert (api.status_code, api.json()) == (400, error("invalid", "The request is not valid."))
    assert page.status_code == 400
    assert page["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [
        ({"name": [ErrorDetail("Too long.")], "symbols": ["None."]}, "name: Too long."),
        ({"symbols": {"0": ["Too long."]}}, "symbols: 0: Too long."),
        ({"detail": "Not now."}, "Not now."),
        ({"non_field_errors": ["Send an object."]}, "Send an object."),
        ([], "The request is not valid."),
    ],
)
def test_the_first_fault_is_named_with_its_field(detail: object, sentence: str) -> None:
    assert sentence_of(detail) == sentence
