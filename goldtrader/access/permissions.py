"""Permissions by a key's scope and the caller's address."""

from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from goldtrader.access.addresses import is_allowed
from goldtrader.models import ApiKey

READERS = frozenset({ApiKey.Scope.READ, ApiKey.Scope.ADMIN})
CHANGERS = frozenset({ApiKey.Scope.ADMIN})


class IsAllowedAddress(BasePermission):
    """Allows callers from a network of API_ALLOWED_IPS."""

    message = "Your address is not allowed to use this API."

    def has_permission(self, request: HttpRequest, view: Any) -> bool:  # noqa: ARG002
        return is_allowed(request)


class HasReadKey(BasePermission):
    """Reading needs a read or admin key, changing an admin key, from an allowed address.

    A view that other keys may use names them in `key_scopes`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the request's key may do this; the refusal says what is missing."""
        if not is_allowed(request):
            raise PermissionDenied(IsAllowedAddress.message)
        key = request.auth
        if not isinstance(key, ApiKey):
            raise NotAuthenticated("Send your API key as 'Authorization: Api-Key <key>'.")
        usual = READERS if request.method in SAFE_METHODS else CHANGERS
        scopes = getattr(view, "key_scopes", usual)
        if key.scope not in scopes:
            needed = " or ".join(sorted(scopes))
            raise PermissionDenied(f"This needs a key of scope {needed}; yours is {key.scope}.")
        return True
