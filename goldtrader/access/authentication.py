"""`Authorization: Api-Key …` becomes `request.auth`, the key's row."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_api_key.permissions import KeyParser

from goldtrader.models import ApiKey

KEYWORD = "Api-Key"


class KeyAuthentication(BaseAuthentication):
    """Authenticates a caller by its API key; no user is behind it."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        """No user, and the key; `None` where the request names no key."""
        presented = KeyParser().get(request)
        if not presented:
            return None
        try:
            key = ApiKey.objects.get_from_key(presented)
        except ApiKey.DoesNotExist:
            raise AuthenticationFailed("The API key is unknown or revoked.") from None
        assert isinstance(key, ApiKey)
        if key.has_expired:
            raise AuthenticationFailed("The API key has expired.")
        # Where the audit, which knows requests of Django's alone, finds it.
        plain: Any = getattr(request, "_request", request)
        plain.api_key = key
        return None, key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """The WWW-Authenticate header of a 401."""
        return KEYWORD


class KeyAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the keys in the OpenAPI document."""

    target_class = KeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        """The scheme: a header whose value is the keyword and the key."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": f"The value is `{KEYWORD} <key>`.",
        }
