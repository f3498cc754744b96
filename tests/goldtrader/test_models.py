"""Keys of the API, as they are stored."""

import pytest

from goldtrader.models import ApiKey

pytestmark = pytest.mark.django_db


def test_a_key_reads_unless_more_is_said() -> None:
    made, key = ApiKey.objects.create_key(name="dashboard")

    assert (made.scope, made.symbols, str(made)) == ("read", [], "dashboard (read)")
    assert ApiKey.objects.get_from_key(key) == made


def test_only_a_hash_of_the_key_is_kept() -> None:
    made, key = ApiKey.objects.create_key(name="mt5", scope=ApiKey.Scope.CONNECTOR)

    prefix, secret = key.split(".")
    assert made.prefix == prefix
    assert secret not in made.hashed_key
    assert made.is_valid(key)
    assert not made.is_valid(f"{prefix}.other")
