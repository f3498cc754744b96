"""The API's OpenAPI document, made once."""

from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response

_one_at_a_time = Lock()


def document() -> Mapping[str, Any]:
    """The OpenAPI document; the first caller waits for its making.

    The generator keeps state of its own in module globals, so that two at once would disturb each
    other: the threads of a new process take turns.
    """
    with _one_at_a_time:
        return _document()


@cache
def _document() -> Mapping[str, Any]:
    made: Mapping[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


class SchemaView(SpectacularAPIView):
    """The OpenAPI document of this API, as YAML or, where JSON is accepted, as JSON."""

    def _get_schema_response(self, request: Request) -> Response:  # noqa: ARG002
        disposition = 'inline; filename="GoldTrader.yaml"'
        return Response(data=document(), headers={"Content-Disposition": disposition})
