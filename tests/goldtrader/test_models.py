"""Keys of the API, as they are stored."""

from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError

from goldtrader.models import ApiKey
from signals_app.models import Connector

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


def test_connectors_of_before_belong_to_the_key_whose_name_covers_most_of_theirs() -> None:
    for name in ("embedded", "mt5", "mt5-london"):
        ApiKey.objects.create_key(name=name, scope=ApiKey.Scope.CONNECTOR)
    for name in ("embedded-simulated", "mt5", "mt5-paris", "mt5-london-2", "paris"):
        Connector.objects.create(name=name)

    migration = "goldtrader.migrations.0002_connectors_belong_to_the_keys_that_made_them"
    import_module(migration).name_owners(apps, None)

    assert dict(Connector.objects.values_list("name", "owner")) == {
        "embedded-simulated": "embedded",
        "mt5": "",
        "mt5-paris": "mt5",
        "mt5-london-2": "mt5-london",
        "paris": "",
    }


@pytest.mark.parametrize(
    ("scope", "symbols", "is_fine"),
    [
        ("connector", ["XAUUSD"], True),
        ("connector", [], False),
        ("connector", "XAUUSD", False),
        ("connector", [{"a": 1}], False),
        ("read", [], True),
        ("read", None, True),
        ("read", "XAUUSD", False),
    ],
)
def test_a_key_whose_symbols_make_no_sense_is_refused(
    scope: str, symbols: object, is_fine: bool
) -> None:
    key = ApiKey(name="mt5", scope=scope, symbols=symbols)
    if is_fine:
        key.clean()
        return
    with pytest.raises(ValidationError, match="Give a list of symbols"):
        key.clean()


def test_a_stored_key_whose_symbols_make_no_sense_gets_no_tokens() -> None:
    assert ApiKey(name="mt5", scope="connector", symbols=[["X"], 7]).rights.symbols == frozenset()
