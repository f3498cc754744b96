"""What a key's scope allows, and the sentence that refuses the rest."""

import pytest
from rest_framework.test import APIClient

from tests.callers import API, caller, error

pytestmark = pytest.mark.django_db


def test_without_a_key_nothing_is_shown() -> None:
    response = APIClient().get(f"{API}/signals")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Api-Key"
    assert response.json() == error(
        "not_authenticated", "Send your API key as 'Authorization: Api-Key <key>'."
    )


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
