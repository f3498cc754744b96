"""`GET /api/v1/health`, for load balancers and operators."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from goldtrader.access.addresses import is_allowed
from goldtrader.access.authentication import KEYWORD, KeyAuthentication
from goldtrader.operations import health, heartbeats, queues
from goldtrader.operations.health import State
from signals_app.market import calendar
from signals_app.models import Connector, StreamPosition
from trades_app.notifications import outbox


class HealthView(APIView):
    """The system's health: 200 while it is usable (`ok` or `degraded`), 503 when it is `down`.

    Public; with a key the answer has details.
    """

    # The key is looked at where the database is known to answer.
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        # Sent with a 401, which DRF would otherwise turn into a 403.
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
        found = health.recent()
        answer: dict[str, Any] = {"status": found.status, "components": dict(found.components)}
        if found.components["database"] is State.OK and _has_key(request):
            answer["details"] = _details()
        return Response(answer, status=503 if found.status is State.DOWN else 200)


def _details() -> dict[str, Any]:
    positions = StreamPosition.objects.order_by("instrument")
    return {
        "feed": {
            position.instrument: {
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
        "workers": _unless_redis_fails(heartbeats.workers),
        "queues": _unless_redis_fails(queues.lengths),
        "unsent_messages": outbox.unsent(),
    }


def _unless_redis_fails(read: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return read()
    except RedisError:
        return None


def _has_key(request: Request) -> bool:
    """Whether a valid key came along; a wrong one is refused as anywhere else."""
    return is_allowed(request) and KeyAuthentication().authenticate(request) is not None
