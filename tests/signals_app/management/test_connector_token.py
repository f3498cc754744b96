"""`manage.py connector_token`: lets a connector in for a day."""

import time
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from signals_app.gateway import tokens
from signals_app.models import Connector

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("connector_token", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_token_stands_alone_on_the_last_line_and_the_connector_is_known() -> None:
    token = run("mt5-primary", "--symbols", "XAUUSD, EURUSD,XAUUSD").splitlines()[-1]
    keys = tokens.SigningKeys.parse(settings.CONNECTOR_JWT_KEYS)
    claims = tokens.verify(keys, token, now=time.time())
    assert (claims.connector, claims.symbols) == ("mt5-primary", ("XAUUSD", "EURUSD"))
    assert claims.expires_at - claims.issued_at == 86_400
    assert Connector.objects.get().symbols == ["XAUUSD", "EURUSD"]


def test_a_second_token_changes_the_connectors_symbols() -> None:
    run("mt5-primary", "--symbols", "XAUUSD")
    run("mt5-primary", "--symbols", "EURUSD")
    assert Connector.objects.get().symbols == ["EURUSD"]


def test_a_revoked_connector_gets_no_token() -> None:
    Connector.objects.create(name="mt5-primary", is_revoked=True)
    with pytest.raises(CommandError, match="is revoked") as refused:
        run("mt5-primary", "--symbols", "XAUUSD")
    assert refused.value.returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        (" ", "--symbols", "XAUUSD"),
        ("mt5", "--symbols", ","),
        ("m" * 65, "--symbols", "X"),
        ("mt5", "--symbols", ".XAU"),
    ],
)
def test_names_and_symbols_have_to_be_given(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert refused.value.returncode == 2


def test_a_token_lives_a_day_at_most() -> None:
    with pytest.raises(CommandError, match="24 hours"):
        run("mt5", "--symbols", "XAUUSD", "--hours", "25")


def test_without_signing_keys_there_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CONNECTOR_JWT_KEYS", "")
    with pytest.raises(CommandError, match="CONNECTOR_JWT_KEYS is empty") as refused:
        run("mt5", "--symbols", "XAUUSD")
    assert refused.value.returncode == 2
    assert not Connector.objects.exists()
