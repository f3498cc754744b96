"""Redis for what can do without it, but must not wait for it: heartbeats, counters, health."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def store() -> "redis.Redis":
    """A connection to Redis that fails within a second rather than waits and retries."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),
    )
