"""The token is given on standard input, kept encrypted, and printed nowhere."""

import io

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from trades_app.models import TelegramBot
from trades_app.notifications.telegram import token

pytestmark = pytest.mark.django_db
SECRET = "123456:SECRET-SECRET"


@pytest.fixture(autouse=True)
def _ring(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]


def run(monkeypatch: pytest.MonkeyPatch, given: str = "", *options: str) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    written = io.StringIO()
    call_command("telegram_token", *options, stdout=written)
    return written.getvalue().strip()


def test_a_token_is_kept_rotated_and_forgotten(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    assert run(monkeypatch, f" {SECRET}\n") == "Stored, encrypted. It is used from now on."
    assert token.current() == SECRET
    assert "SECRET" not in str(TelegramBot.objects.values().get())

    settings.FIELD_ENCRYPTION_KEYS.insert(0, Fernet.generate_key().decode())
    assert run(monkeypatch, "", "--rotate") == "Encrypted with the first key."
    del settings.FIELD_ENCRYPTION_KEYS[1:]
    assert token.current() == SECRET

    assert run(monkeypatch, "", "--forget") == "No token is stored now."
    assert run(monkeypatch, "", "--rotate") == "No token is stored."


def test_the_environments_token_is_said_to_come_first(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.TELEGRAM_BOT_TOKEN = "1:ENV"

    assert "TELEGRAM_BOT_TOKEN is set, and used before it" in run(monkeypatch, SECRET)


def test_what_is_no_token_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="no bot token") as refused:
        run(monkeypatch, "SECRET without a number\n")

    assert "SECRET" not in str(refused.value)


def test_without_a_key_ring_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = []

    with pytest.raises(CommandError, match="FIELD_ENCRYPTION_KEYS is empty"):
        run(monkeypatch, SECRET)
