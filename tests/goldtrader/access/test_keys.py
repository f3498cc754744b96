"""Which keys may still be used, and for what."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from goldtrader.access.keys import read_keys
from goldtrader.models import ApiKey
from signals_app.services import api_keys
from signals_app.services.api_keys import KeyRights

pytestmark = pytest.mark.django_db


def made(name: str, **columns: object) -> str:
    key, _ = ApiKey.objects.create_key(name=name, **columns)
    assert isinstance(key, ApiKey)
    return key.prefix


def test_keys_that_are_revoked_expired_or_gone_are_left_out(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    now = timezone.now()
    good = made("mt5", scope="connector", symbols=["XAUUSD"], expiry_date=now + timedelta(hours=1))
    admin, reader = made("desk", scope="admin"), made("viewer")
    revoked = made("old", scope="admin", revoked=True)
    expired = made("late", scope="admin", expiry_date=now - timedelta(seconds=1))

    with django_assert_num_queries(1):
        found = read_keys({good, admin, reader, revoked, expired, "unknown"})

    assert found == {
        good: KeyRights("mt5", frozenset({"XAUUSD"})),
        admin: KeyRights("desk", None),
        reader: KeyRights("viewer", frozenset()),
    }


def test_the_gateway_and_streams_ask_for_them() -> None:
    prefix = made("desk", scope="admin")
    assert api_keys.usable([prefix]) == {prefix: KeyRights("desk", None)}
