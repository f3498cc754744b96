"""Callers of the API, each with a key of its own."""

from rest_framework.test import APIClient

from goldtrader.models import ApiKey

API = "/api/v1"


def caller(scope: str = "read", name: str = "test", symbols: tuple[str, ...] = ()) -> APIClient:
    """Return a client that sends a new key of this scope."""
    _, key = ApiKey.objects.create_key(name=name, scope=scope, symbols=list(symbols))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")
    return client


def error(code: str, message: str) -> dict[str, object]:
    """The body of every refusal."""
    return {"error": {"code": code, "message": message}}
