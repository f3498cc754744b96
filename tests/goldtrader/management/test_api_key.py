"""manage.py api_key: a new key for the API, printed once."""

import pytest
from django.core.management import CommandError, call_command

from goldtrader.models import ApiKey

pytestmark = pytest.mark.django_db


def test_a_key_is_printed_alone_on_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("api_key", "dashboard")

    printed = capsys.readouterr().out.splitlines()[-1]
    key = ApiKey.objects.get_from_key(printed)
    assert (key.name, key.scope, key.symbols) == ("dashboard", "read", [])


def test_a_connectors_key_carries_its_symbols(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("api_key", "mt5-london", scope="connector", symbols="XAUUSD, EURUSD")

    key = ApiKey.objects.get()
    assert (key.scope, key.symbols) == ("connector", ["EURUSD", "XAUUSD"])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("", {}, "A key's name has 1 to 64 letters."),
        ("x" * 65, {}, "A key's name has 1 to 64 letters."),
        (
            "mt5",
            {"scope": "connector", "symbols": "XAUUSD,EUR USD"},
            "'XAUUSD,EUR USD' are no symbols: use e.g. XAUUSD,EURUSD",
        ),
        (
            "mt5",
            {"scope": "connector", "symbols": " , "},
            "' , ' are no symbols: use e.g. XAUUSD,EURUSD",
        ),
        (
            "desk 7",
            {"scope": "connector", "symbols": "XAUUSD"},
            "'desk 7' is no connector's name: use up to 64 letters, digits, dots, dashes",
        ),
        (
            "mt5",
            {"scope": "connector"},
            "--symbols belongs to --scope connector, and that needs it.",
        ),
        (
            "mt5",
            {"symbols": "XAUUSD"},
            "--symbols belongs to --scope connector, and that needs it.",
        ),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    name: str, options: dict[str, str], message: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("api_key", name, **options)

    assert (str(refusal.value), refusal.value.returncode) == (message, 2)
    assert not ApiKey.objects.exists()


def test_a_key_may_have_as_long_a_name_as_a_connector() -> None:
    call_command("api_key", "x" * 64, scope="connector", symbols="XAUUSD")

    assert ApiKey.objects.get().name == "x" * 64
