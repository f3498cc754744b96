"""The bot's token: from the environment, or encrypted in the database under a key ring."""

import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction

from signals_app.services import audit
from signals_app.services.audit import Change
from trades_app.models import TelegramBot


class KeyRingError(Exception):
    """The key ring cannot encrypt or decrypt; in one sentence without any secret."""


def current() -> str:
    """The token to use; empty where there is none. The environment's comes first.

    Raises `KeyRingError` where the stored one cannot be decrypted.
    """
    return settings.TELEGRAM_BOT_TOKEN or _stored()


def fingerprint(token: str) -> str:
    """What tells one token from another, and tells nothing of it."""
    return hashlib.sha256(b"telegram:" + token.encode()).hexdigest()[:16]


def store(token: str) -> None:
    """Keep a token, encrypted with the ring's first key; empty forgets it."""
    encrypted = _ring().encrypt(token.encode()).decode() if token else ""
    columns = {"token": encrypted, "fingerprint": "", "problem": "", "not_before": None}
    with transaction.atomic():
        row, _ = TelegramBot.objects.update_or_create(pk=1, defaults=columns)
        audit.record(Change.of_row("stored the token" if token else "forgot the token", row))


def rotate() -> bool:
    """Encrypt the stored token with the ring's first key; `False` where none is stored."""
    row = TelegramBot.objects.filter(pk=1).exclude(token="").first()
    if row is None:
        return False
    try:
        row.token = _ring().rotate(row.token.encode()).decode()
    except InvalidToken:
        raise KeyRingError(_NO_KEY) from None
    with transaction.atomic():
        row.save(update_fields=["token", "changed_at"])
        audit.record(Change.of_row("encrypted the token anew", row))
    return True


_NO_KEY = (
    "The stored bot token was encrypted with a key that FIELD_ENCRYPTION_KEYS does not have. "
    "Add that key behind the first, or give the token again: manage.py telegram_token."
)


def _stored() -> str:
    encrypted = TelegramBot.objects.filter(pk=1).values_list("token", flat=True).first()
    if not encrypted:
        return ""
    try:
        return _ring().decrypt(encrypted.encode()).decode()
    except InvalidToken:
        raise KeyRingError(_NO_KEY) from None


def _ring() -> MultiFernet:
    keys = settings.FIELD_ENCRYPTION_KEYS
    if not keys:
        raise KeyRingError(
            "FIELD_ENCRYPTION_KEYS is empty. A stack makes its own key; otherwise give one: "
            "32 random bytes in URL-safe base64."
        )
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise KeyRingError(
            "FIELD_ENCRYPTION_KEYS holds something that is no key: each is 32 bytes in "
            "URL-safe base64, comma separated."
        ) from None
