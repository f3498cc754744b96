"""`GET /api/v1/health`: which parts of the system are there, for load balancers and operators."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from threading import Lock
from time import monotonic
from types import MappingProxyType
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from goldtrader.access.addresses import is_allowed
from goldtrader.access.authentication import KEYWORD, KeyAuthentication
from goldtrader.operations import heartbeats
from goldtrader.store import store
from signals_app.market import calendar
from signals_app.models import Connector, ConnectorEvent, StreamPosition
from trades_app.notifications import outbox

log = structlog.get_logger(__name__)

_CACHE_SECONDS = 2.0
#: Whoever waits for a system that comes up is told sooner.
_CACHE_SECONDS_DOWN = 0.25
_GATEWAY_TIMEOUT = 0.5
#: A connector sends a heartbeat every 30 s; twice that without one is silence.
_SILENT_AFTER = timedelta(seconds=60)
#: After one of these a connector gives no ticks until it says `MT5_RECONNECTED`.
_CUT_OFF = ("MT5_DISCONNECTED", "SYMBOL_UNAVAILABLE")


class State(StrEnum):
    """How a part is."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


#: Without one of these no tick becomes a signal; the rest leaves a usable system.
ESSENTIAL = frozenset({"database", "redis", "gateway", "workers"})


@dataclass(frozen=True, slots=True)
class Health:
    """How the system and each of its parts are."""

    components: Mapping[str, State]

    @property
    def status(self) -> State:
        """Return `down` where an essential part is down, `degraded` where any part is not ok."""
        states = self.components
        if any(states[name] is State.DOWN for name in ESSENTIAL & states.keys()):
            return State.DOWN
        if any(state is not State.OK for state in states.values()):
            return State.DEGRADED
        return State.OK


def check() -> Health:
    """Look at every part now."""
    return Health(MappingProxyType({name: _safely(look) for name, look in _LOOKS.items()}))


def recent() -> Health:
    """Return what was found at most two seconds ago; many who ask at once cost one look."""
    global _latest
    with _lock:
        if _latest is None or monotonic() > _latest[0]:
            found = check()
            is_down = found.status is State.DOWN
            _latest = monotonic() + (_CACHE_SECONDS_DOWN if is_down else _CACHE_SECONDS), found
        return _latest[1]


def forget() -> None:
    """Look again at the next call."""
    global _latest
    with _lock:
        _latest = None


_lock = Lock()
#: Until when it counts, and what was found.
_latest: tuple[float, Health] | None = None


class HealthView(APIView):
    """The system's health: 200 while it is usable (`ok` or `degraded`), 503 when it is `down`.

    Public; with a key it tells the details.
    """

    # The key is looked at where the database is known to answer.
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Return what a 401 asks for."""
        return KEYWORD

    @extend_schema(
        auth=[{}, {"ApiKey": []}],  # type: ignore[list-item]
        responses=inline_serializer(
            "Health",
            {
                "status": serializers.ChoiceField([state.value for state in State]),
                "components": serializers.DictField(
                    child=serializers.ChoiceField([state.value for state in State])
                ),
                "details": serializers.DictField(required=False, help_text="with a key only"),
            },
        ),
    )
    def get(self, request: Request) -> Response:
        """Answer the health."""
        health = recent()
        answer: dict[str, Any] = {"status": health.status, "components": dict(health.components)}
        if health.components["database"] is State.OK and _has_key(request):
            answer["details"] = details()
        return Response(answer, status=503 if health.status is State.DOWN else 200)


def details() -> dict[str, Any]:
    """Return what an operator asks next, in numbers."""
    positions = StreamPosition.objects.order_by("symbol")
    return {
        "feed": {
            position.symbol: {
                "ticks": position.ordinal,
                "last_tick": calendar.iso(position.time_ms) if position.time_ms else None,
                "used_at": position.updated_at,
            }
            for position in positions
        },
        "connectors": {
            connector.name: {
                "last_seen": connector.last_seen,
                "roles": connector.roles,
                "is_simulated": connector.is_simulated,
                "is_revoked": connector.is_revoked,
            }
            for connector in Connector.objects.order_by("name")
        },
        "workers": _or_nothing(heartbeats.workers),
        "queues": _or_nothing(queue_lengths),
        "unsent_messages": outbox.unsent(),
    }


def queue_lengths() -> dict[str, int]:
    """Return how many tasks wait in each queue; raises `RedisError`."""
    return {name: int(store().llen(name)) for name in sorted(queue_names())}


def queue_names() -> set[str]:
    """Return the queues that tasks are sent to."""
    routes = {route["queue"] for route in current_app.conf.task_routes.values()}
    return routes | {current_app.conf.task_default_queue}


def _or_nothing(look: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return look()
    except RedisError:
        return None


def _has_key(request: Request) -> bool:
    """Return whether a valid key came along; a wrong one is refused as anywhere else."""
    return is_allowed(request) and KeyAuthentication().authenticate(request) is not None


def _safely(look: Callable[[], State]) -> State:
    try:
        return look()
    except (DatabaseError, InterfaceError, RedisError, OSError) as failure:
        log.warning("health_check_failed", check=look.__name__, detail=str(failure))
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
    served = {queue for queues in heartbeats.workers().values() for queue in queues}
    if not served:
        return State.DOWN
    return State.OK if queue_names() <= served else State.DEGRADED


def _beat() -> State:
    return State.OK if heartbeats.beat_lives() else State.DOWN


def _feed() -> State:
    """A feed that is missing never makes the system `down`: it waits for one."""
    now = timezone.now()
    heard = Connector.objects.filter(is_revoked=False, last_seen__gt=now - _SILENT_AFTER)
    names = list(heard.values_list("name", flat=True))
    if not names:
        return State.DEGRADED
    latest = (
        ConnectorEvent.objects.filter(
            connector__in=names,
            code__in=(*_CUT_OFF, "MT5_RECONNECTED"),
            happened_at__gt=now - timedelta(days=7),
        )
        .order_by("connector", "-happened_at")
        .distinct("connector")
    )
    return State.DEGRADED if any(event.code in _CUT_OFF for event in latest) else State.OK


_LOOKS: dict[str, Callable[[], State]] = {
    "database": _database,
    "redis": _redis,
    "gateway": _gateway,
    "workers": _workers,
    "beat": _beat,
    "feed": _feed,
}
