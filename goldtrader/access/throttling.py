"""The rate limit of the API: API_RATE_LIMIT requests for each key."""

from time import time
from typing import Any

import structlog
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from goldtrader.access.addresses import client_address
from goldtrader.models import ApiKey
from goldtrader.store import store

log = structlog.get_logger(__name__)


class KeyThrottle(SimpleRateThrottle):
    """Counts each key's requests in fixed windows; callers without a key count by address.

    It needs one counter in Redis, where DRF's own throttle keeps a list of every request's time.
    Without Redis nothing is limited: an API that answers is worth more than its limit.
    """

    scope = "key"
    num_requests: int | None
    duration: int | None

    def get_cache_key(self, request: Request, view: Any) -> str:  # noqa: ARG002
        """The key under which the caller's requests are counted."""
        if isinstance(request.auth, ApiKey):
            return f"throttle:key:{request.auth.prefix}"
        return f"throttle:address:{client_address(request)}"

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request and return whether it is within the limit."""
        if self.rate is None:
            return True
        assert self.num_requests is not None
        assert self.duration is not None
        window, self._into_window = divmod(time(), self.duration)
        counter = f"{self.get_cache_key(request, view)}:{window:.0f}"
        try:
            count = _count(counter, self.duration + 1)
        except RedisError as failure:
            log.warning("throttle_skipped", detail=str(failure))
            return True
        return count <= self.num_requests

    def wait(self) -> float | None:
        """The seconds until the next window."""
        return None if self.duration is None else self.duration - self._into_window


def _count(counter: str, expires: int) -> int:
    """Raise the counter by one and return it; one round trip."""
    steps = store().pipeline(transaction=False)
    steps.incr(counter)
    steps.expire(counter, expires)
    count: int = steps.execute()[0]
    return count
