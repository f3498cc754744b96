"""A refusal has the form of the place where it happens."""

import json

from django.test import RequestFactory

from goldtrader.refusals import refusal


def test_the_api_is_refused_in_json() -> None:
    answer = refusal(RequestFactory().get("/api/v1/x"), 413, "too_large", "Too <large>.")

    assert answer.status_code == 413
    assert json.loads(answer.content) == {"error": {"code": "too_large", "message": "Too <large>."}}


def test_a_page_is_refused_by_a_page() -> None:
    request = RequestFactory().get("/admin/")
    answer = refusal(request, 429, "throttled", "Too <many>.", {"Retry-After": "5"})

    assert answer.status_code == 429
    assert answer["Retry-After"] == "5"
    assert b"<h1>Too Many Requests</h1><p>Too &lt;many&gt;.</p>" in answer.content
