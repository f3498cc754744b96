"""The token is encrypted at rest under a key ring, and the environment's comes first."""

import pytest
from cryptography.fernet import Fernet
from pytest_django.fixtures import Settings

from trades_app.models import TelegramBot
from trades_app.notifications.telegram import token

pytestmark = pytest.mark.django_db
SECRET = "123456:SECRET-SECRET-SECRET-SECRET"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def _ring(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    settings.TELEGRAM_BOT_TOKEN = ""


def test_a_stored_token_is_encrypted_and_read_back(settings: Settings) -> None:
    assert token.current() == ""
    token.store(SECRET)

    assert SECRET not in str(TelegramBot.objects.values().get())
    assert token.current() == SECRET
    settings.TELEGRAM_BOT_TOKEN = "1:ENVIRONMENT"
    assert token.current() == "1:ENVIRONMENT"


def test_a_token_can_be_forgotten() -> None:
    token.store(SECRET)
    token.store("")

    assert (token.current(), token.rotate()) == ("", False)


def test_the_ring_is_rotated_without_losing_the_token(settings: Settings) -> None:
    token.store(SECRET)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert token.current() == SECRET
    assert token.rotate()

    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert token.current() == SECRET


@pytest.mark.parametrize("keys", [[], [NEW], ["no key"]])
def test_a_ring_that_cannot_decrypt_is_said_without_the_secret(
    keys: list[str], settings: Settings
) -> None:
    token.store(SECRET)
    settings.FIELD_ENCRYPTION_KEYS = keys

    with pytest.raises(token.KeyRingError, match="FIELD_ENCRYPTION_KEYS") as wrong:
        token.current()

    assert "SECRET" not in str(wrong.value)


def test_fingerprints_tell_tokens_apart_and_tell_nothing_of_them() -> None:
    assert token.fingerprint(SECRET) == token.fingerprint(SECRET) != token.fingerprint("1:x")
    assert len(token.fingerprint(SECRET)) == 16
