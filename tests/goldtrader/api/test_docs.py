"""The API's page is written from its schema; both are public."""

import pytest
from django.test import Client

from goldtrader.api.docs import operations
from tests.callers import API

pytestmark = pytest.mark.django_db


def test_the_schema_and_its_docs_are_public(client: Client) -> None:
    schema = client.get(f"{API}/schema?format=json")

    assert schema.status_code == 200
    assert "/api/v1/signals/{signal_id}" in schema.json()["paths"]
    page = client.get(f"{API}/docs").content.decode()
    assert "/api/v1/signals/{signal_id}" in page
    assert "results[].confidence_score" in page


def test_an_operation_has_its_parameters_its_body_and_its_answer() -> None:
    found = {(each.method, each.path): each for each in operations()}
    token = found["POST", f"{API}/connectors/token"]
    candles = found["GET", f"{API}/candles"]

    assert {field.name: field.is_required for field in token.body} == {
        "name": True,
        "symbols": True,
    }
    assert [field.name for field in token.answer] == ["token", "expires_at"]
    assert {"symbol", "timeframe", "limit"} <= {field.name for field in candles.parameters}
    assert "results[].close" in {field.name for field in candles.answer}
    assert token.anchor == "POST-api-v1-connectors-token"
