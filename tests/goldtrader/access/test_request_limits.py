"""What no request may be: larger than the limit, or with a NUL somewhere."""

from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from goldtrader.access.request_limits import RequestLimits
from tests.callers import API, caller, error

pytestmark = pytest.mark.django_db


class Untouched(BytesIO):
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")


@pytest.mark.parametrize("path", [f"{API}/config/update", "/admin/login/"])
def test_a_large_body_is_refused_before_any_of_it_is_read(path: str) -> None:
    sent = RequestFactory().generic(
        "POST", path, content_type="application/json", CONTENT_LENGTH="200000000"
    )
    sent.environ["wsgi.input"] = Untouched()

    response = RequestLimits(lambda _: HttpResponse())(sent)

    assert response.status_code == 413
    assert response["Connection"] == "close"


def test_the_refusal_of_a_large_body_names_the_limit() -> None:
    body = " " * (settings.REQUEST_BODY_LIMIT + 1)

    response = caller("admin").post(f"{API}/config/update", body, content_type="application/json")

    assert response.status_code == 413
    assert response.json() == error(
        "too_large", "The request's body is larger than 1,048,576 bytes."
    )


@pytest.mark.parametrize("length", ["", "-1", "many", "9" * 40, "²"])
def test_a_length_that_is_no_number_is_left_to_the_server(length: str) -> None:
    sent = RequestFactory().get("/", CONTENT_LENGTH=length)

    assert RequestLimits(lambda _: HttpResponse())(sent).status_code == 200


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (f"{API}/signals/XAU%00", "path"),
        (f"{API}/signals?instrument=%00", "query"),
        (f"{API}/signals?a%00b=1", "query"),
    ],
)
def test_a_nul_is_refused_with_its_place(path: str, place: str) -> None:
    response = caller().get(path)

    assert response.status_code == 400
    assert response.json() == error(
        "invalid", f"The request has a NUL character in its {place}; leave it out."
    )


@pytest.mark.parametrize(
    "path",
    [
        "/admin/signals_app/signal/%00/change/",
        "/admin/signals_app/signal/?q=%00",
        "/admin/login/?next=%00",
        "/%00",
        "/metrics?%00",
    ],
)
def test_pages_refuse_a_nul_too(admin_client: Client, path: str) -> None:
    response = admin_client.get(path)

    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


def test_a_nul_in_a_cookie_reaches_no_table(client: Client) -> None:
    response = client.get("/admin/", headers={"Cookie": r'sessionid="abc\000def"'})

    assert response.status_code == 400


def test_a_value_that_only_the_database_refuses_is_the_callers_fault() -> None:
    limits = RequestLimits(lambda _: HttpResponse())

    def judged(exception: Exception) -> int | None:
        request: HttpRequest = RequestFactory().get("/admin/")
        response = limits.process_exception(request, exception)
        return None if response is None else response.status_code

    assert judged(DataError("date/time field value out of range")) == 400
    assert judged(RuntimeError("a fault")) is None
