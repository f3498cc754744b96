"""The OpenAPI document is made once, whoever asks first."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from goldtrader.api import docs, schema
from tests.callers import API

pytestmark = pytest.mark.django_db


def test_many_first_callers_get_one_whole_document() -> None:
    schema._document.cache_clear()
    docs.operations.cache_clear()
    # The first request of a process loads the middleware, in the stack before it has threads.
    Client().get(f"{API}/nothing")
    together = threading.Barrier(8)

    def ask(number: int) -> tuple[int, bytes]:
        together.wait()
        path = "docs" if number % 2 else "schema?format=json"
        answer = Client().get(f"{API}/{path}")
        connections.close_all()
        # A page differs in its nonces.
        return answer.status_code, b"<html" if number % 2 else answer.content

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(ask, range(8)))

    assert {status for status, _ in answers} == {200}
    assert len({content for _, content in answers}) == 2


def test_the_document_comes_in_the_form_that_is_asked_for(client: Client) -> None:
    yaml = client.get(f"{API}/schema")
    by_name = client.get(f"{API}/schema?format=json")

    assert yaml.content.startswith(b"openapi:")
    assert by_name.json()["info"]["title"] == "GoldTrader"
    assert client.get(f"{API}/schema?format=nothing").status_code == 404
