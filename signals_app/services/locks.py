"""One at a time per symbol, held until the transaction ends."""

import hashlib

from django.db import connection


def lock_decisions(symbol: str) -> None:
    """Wait for the right to decide a symbol's closes; call it inside a transaction."""
    digest = hashlib.blake2b(f"decisions:{symbol}".encode(), digest_size=8).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest, signed=True)])
