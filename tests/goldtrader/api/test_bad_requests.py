"""Whatever a caller sends, the answer says that it is wrong; it is never the server's fault."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from goldtrader.api.schema import document
from tests.callers import caller
from tests.goldtrader.nasty import json_values, values
from tests.trades_app.rows import numbered, stored_trade

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint and the names of what it takes."""

    method: str
    path: str
    in_path: tuple[str, ...]
    in_query: tuple[str, ...]
    in_body: tuple[str, ...]


def operations() -> Iterator[Operation]:
    described = document()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            names = {
                place: tuple(p["name"] for p in operation.get("parameters", ()) if p["in"] == place)
                for place in ("path", "query")
            }
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            reference = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
            fields = described["components"]["schemas"].get(reference, {}).get("properties", ())
            yield Operation(method, path, names["path"], names["query"], tuple(fields))


# A stream does not end, and of a system without workers health says 503.
OPERATIONS = [each for each in operations() if not each.path.endswith(("/stream", "/health"))]


@pytest.fixture
def client() -> APIClient:
    for number in range(1, 4):
        stored_trade(numbered(number), 2055.0)
    client = caller("admin")
    client.raise_request_exception = False
    return client


def send(client: APIClient, operation: Operation, data: st.DataObject) -> Any:
    path = operation.path
    for name in operation.in_path:
        path = path.replace(f"{{{name}}}", quote_from_bytes(data.draw(values), safe="") or "x")
    names = st.sampled_from((*operation.in_query, "cursor", "limit", "other"))
    chosen = data.draw(st.lists(names, unique=True, max_size=4))
    query = "&".join(f"{name}={quote_from_bytes(data.draw(values))}" for name in chosen)
    if operation.method == "get":
        return client.get(f"{path}?{query}")
    keys = st.sampled_from(operation.in_body or ("threshold", "parameters")) | st.text(max_size=4)
    body = data.draw(st.dictionaries(keys, json_values, max_size=4) | json_values)
    return client.generic(
        operation.method.upper(),
        f"{path}?{query}",
        json.dumps(body),
        content_type="application/json",
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_value_is_the_servers_fault(
    client: APIClient, operation: Operation, data: st.DataObject
) -> None:
    with transaction.atomic():
        response = send(client, operation, data)
        transaction.set_rollback(True)

    assert response.status_code < 500, (response.request, response.content)
