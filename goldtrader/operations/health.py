"""Which parts of the system work: database, Redis, gateway, workers, beat and feed."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from threading import Lock
from time import monotonic
from types import MappingProxyType

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from redis.exceptions import RedisError

from goldtrader.operations import heartbeats, queues
from goldtrader.store import store
from signals_app.connector_codes import CUT_OFF, ConnectorEventCode
from signals_app.models import Connector, ConnectorEvent
from signals_app.pipeline import waiting
from signals_app.services.connectors import SILENT_AFTER

log = structlog.get_logger(__name__)

_CACHE_SECONDS = 2.0
#: Shorter, so that whoever waits for a system that starts learns it sooner.
_CACHE_SECONDS_DOWN = 0.25
_GATEWAY_TIMEOUT = 0.5
#: So long a decision that could not be stored is shown.
_FAILURE_COUNTS_FOR = timedelta(days=1)


class State(StrEnum):
    """How well a part works."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


#: Without one of these no tick becomes a signal; the rest leaves a usable system.
ESSENTIAL = frozenset({"database", "redis", "gateway", "workers"})


@dataclass(frozen=True, slots=True)
class Health:
    """The state of each part of the system."""

    components: Mapping[str, State]

    @property
    def status(self) -> State:
        """`down` where an essential part is down, `degraded` where any part is not ok."""
        states = self.components
        if any(states[name] is State.DOWN for name in ESSENTIAL & states.keys()):
            return State.DOWN
        if any(state is not State.OK for state in states.values()):
            return State.DEGRADED
        return State.OK


def check() -> Health:
    """Check every part now."""
    return Health(
        MappingProxyType({name: _safely(check_part) for name, check_part in _CHECKS.items()})
    )


def recent() -> Health:
    """What was found at most two seconds ago; many requests at once cost one check."""
    global _latest
    with _lock:
        if _latest is None or monotonic() > _latest[0]:
            found = check()
            is_down = found.status is State.DOWN
            _latest = monotonic() + (_CACHE_SECONDS_DOWN if is_down else _CACHE_SECONDS), found
        return _latest[1]


def forget() -> None:
    """Check anew at the next call of `recent`."""
    global _latest
    with _lock:
        _latest = None


_lock = Lock()
#: Until when it counts, and what was found.
_latest: tuple[float, Health] | None = None


def _safely(check_part: Callable[[], State]) -> State:
    try:
        return check_part()
    except (DatabaseError, InterfaceError, RedisError, OSError) as failure:
        log.warning("health_check_failed", check=check_part.__name__, detail=str(failure))
        return State.DOWN


def _database() -> State:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return State.OK


def _redis() -> State:
    store().ping()
    return State.OK


def _gateway() -> State:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104
    host = everywhere.get(settings.GATEWAY_HOST, settings.GATEWAY_HOST)
    with socket.create_connection((host, settings.GATEWAY_PORT), timeout=_GATEWAY_TIMEOUT):
        return State.OK


def _workers() -> State:
    served = heartbeats.served_queues()
    if not served:
        return State.DOWN
    return State.OK if queues.names() <= served else State.DEGRADED


def _beat() -> State:
    return State.OK if heartbeats.beat_lives() else State.DOWN


def _feed() -> State:
    """A feed that is missing never makes the system `down`: it waits for one."""
    now = timezone.now()
    heard = Connector.objects.filter(is_revoked=False, last_seen__gt=now - SILENT_AFTER)
    names = list(heard.values_list("name", flat=True))
    if not names:
        return State.DEGRADED
    latest = (
        ConnectorEvent.objects.filter(
            connector__in=names,
            code__in=(*CUT_OFF, ConnectorEventCode.MT5_RECONNECTED),
            happened_at__gt=now - timedelta(days=7),
        )
        .order_by("connector", "-happened_at")
        .distinct("connector")
    )
    return State.DEGRADED if any(event.code in CUT_OFF for event in latest) else State.OK


def _decisions() -> State:
    """Closes are decided, and what was decided could be stored; it is red for a day after one."""
    now = timezone.now()
    failed = ConnectorEvent.objects.filter(
        code=ConnectorEventCode.DECISION_NOT_STORED, happened_at__gt=now - _FAILURE_COUNTS_FOR
    )
    return State.DOWN if failed.exists() or waiting.stuck_symbols(now) else State.OK


_CHECKS: dict[str, Callable[[], State]] = {
    "database": _database,
    "redis": _redis,
    "gateway": _gateway,
    "workers": _workers,
    "beat": _beat,
    "feed": _feed,
    "decisions": _decisions,
}
