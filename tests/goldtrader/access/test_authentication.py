"""Keys: unknown, revoked, expired ones are refused, and none is stored."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from goldtrader.models import ApiKey
from tests.callers import API, caller, error

pytestmark = pytest.mark.django_db


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
