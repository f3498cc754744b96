"""Which networks may open pages and read the metrics."""

import hmac
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from goldtrader.access.addresses import is_within

#: The API, open health among it, and the metrics decide for themselves.
_OWN_RULES = ("/api/", "/metrics")


def require_admin_network(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: refuse admin and pages to addresses outside ADMIN_ALLOWED_IPS, empty is none."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        allowed = settings.ADMIN_ALLOWED_IPS
        if (
            allowed
            and not request.path.startswith(_OWN_RULES)
            and not is_within(request, allowed, setting="ADMIN_ALLOWED_IPS")
        ):
            raise PermissionDenied("Your address is not allowed to open these pages.")
        return get_response(request)

    return respond


def may_read_metrics(request: HttpRequest) -> bool:
    """Whether the caller is in METRICS_ALLOWED_IPS or sends METRICS_TOKEN as its bearer token.

    Behind a proxy that is not trusted every caller seems to be the proxy, so only the token counts.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return hmac.compare_digest(token.encode(), settings.METRICS_TOKEN.encode())
    is_forwarded = not settings.TRUSTED_PROXIES and "X-Forwarded-For" in request.headers
    return not is_forwarded and is_within(
        request, settings.METRICS_ALLOWED_IPS, setting="METRICS_ALLOWED_IPS"
    )
