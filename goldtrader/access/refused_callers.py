"""Lets callers wait who are refused again and again, before anything looks at what they send."""

from collections.abc import Callable
from math import ceil
from time import monotonic

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from goldtrader.access.addresses import caller_network
from goldtrader.access.rates import Event, Rate, count
from goldtrader.refusals import refusal
from signals_app.networks import Network

log = structlog.get_logger(__name__)

_COUNTED_PATHS = ("/api/", "/metrics")
_COUNTED_STATUSES = frozenset({401, 403})
_SENTENCE = "Too many refused requests came from your address; wait {seconds} s."
#: Callers that one process remembers; beyond that it learns of them anew.
_MOST_BLOCKED = 10_000

#: Until when, by the monotonic clock, callers have to wait. One of many processes learns of it by
#: the next refusal that it counts; so a good request costs one look, and nothing in Redis.
_blocked: dict[Network | None, float] = {}


class RefusedCallers:
    """Middleware: 429 once an address was refused (401, 403) more often than API_REFUSED_LIMIT.

    Permissions are judged before DRF's throttles, which therefore never see who is refused. An IPv6
    network of 64 bits counts as one address.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer, or that the caller has to wait."""
        if not request.path.startswith(_COUNTED_PATHS):
            return self._get_response(request)
        if _blocked and (wait := _blocked_for(caller_network(request))):
            return _too_many(request, wait)
        response = self._get_response(request)
        if response.status_code in _COUNTED_STATUSES:
            wait = _count(caller_network(request))
            if wait:
                return _too_many(request, wait)
        return response


def forget() -> None:
    """Let nobody wait; for tests."""
    _blocked.clear()


def _blocked_for(caller: Network | None) -> float:
    """The seconds that a caller still has to wait; 0 where it need not."""
    until = _blocked.get(caller)
    if until is None:
        return 0.0
    wait = until - monotonic()
    if wait <= 0:
        _blocked.pop(caller, None)
        return 0.0
    return wait


def _count(caller: Network | None) -> float:
    """Count a refusal; the seconds that the caller has to wait now, 0 within the limit."""
    rate = Rate.of(settings.API_REFUSED_LIMIT).slower(Rate.of(settings.API_RATE_LIMIT))
    (counted,) = count([Event(f"refused:{caller}", rate.seconds)])
    if counted.times <= rate.most:
        return 0.0
    if len(_blocked) >= _MOST_BLOCKED:
        _blocked.clear()
    if caller not in _blocked:
        log.warning("caller_blocked", caller=str(caller), seconds=ceil(counted.wait))
    _blocked[caller] = monotonic() + counted.wait
    return counted.wait


def _too_many(request: HttpRequest, wait: float) -> HttpResponse:
    seconds = max(1, ceil(wait))
    return refusal(
        request, 429, "throttled", _SENTENCE.format(seconds=seconds), {"Retry-After": str(seconds)}
    )
