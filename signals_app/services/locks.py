"""One at a time, held until the transaction ends."""

import hashlib

from django.db import connection


def lock_decisions(symbol: str) -> None:
    """Wait for the right to decide a symbol's closes; call it inside a transaction."""
    _wait_for(f"decisions:{symbol}")


def lock_strategies() -> None:
    """Wait for the right to say which strategy is live; call it inside a transaction."""
    _wait_for("strategies")


def _wait_for(name: str) -> None:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest, signed=True)])
