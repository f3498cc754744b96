"""The API's docs page, written from its OpenAPI document; it needs nothing from elsewhere."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from goldtrader.access.addresses import is_allowed
from goldtrader.access.permissions import IsAllowedAddress
from goldtrader.api.schema import document

_METHODS = ("get", "post", "put", "patch", "delete")
_REFERENCE = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a field of a body: its name, what it holds, and what it means."""

    name: str
    kind: str
    text: str
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint. `example` is a body to send, empty where there is none."""

    method: str
    path: str
    text: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    example: str
    answer: tuple[Field, ...]

    @property
    def anchor(self) -> str:
        """The fragment that links to it within the page."""
        return f"{self.method}{self.path}".replace("/", "-").replace("{", "").replace("}", "")


def docs(request: HttpRequest) -> HttpResponse:
    """Show every endpoint, its parameters and its answer, and let the reader try it."""
    if not is_allowed(request):
        raise PermissionDenied(IsAllowedAddress.message)
    return render(request, "goldtrader/api_docs.html", {"operations": operations()})


@cache
def operations() -> tuple[Operation, ...]:
    """The endpoints in the order of the OpenAPI document."""
    schema = document()
    return tuple(
        _operation(schema, method, path, described)
        for path, methods in schema["paths"].items()
        for method, described in methods.items()
        if method in _METHODS and not path.endswith("/schema")
    )


def _operation(
    schema: Mapping[str, Any], method: str, path: str, described: Mapping[str, Any]
) -> Operation:
    sent = _content(described.get("requestBody", {}))
    examples = [each["value"] for each in sent.get("examples", {}).values()]
    return Operation(
        method=method.upper(),
        path=path,
        text=described.get("description", ""),
        parameters=tuple(
            Field(
                each["name"],
                _kind(each.get("schema", {})),
                "" if "enum" in each.get("schema", {}) else each.get("description", ""),
                each.get("required", False),
            )
            for each in described.get("parameters", ())
        ),
        body=tuple(_fields(schema, sent.get("schema", {}))),
        example=json.dumps(examples[0]) if examples else "",
        answer=tuple(_fields(schema, _content(described["responses"]["200"]).get("schema", {}))),
    )


def _content(described: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first media type of a body; empty where there is no body."""
    return next(iter(described.get("content", {}).values()), {})


def _fields(
    schema: Mapping[str, Any], body: Mapping[str, Any], before: str = ""
) -> Iterator[Field]:
    """Yield the fields of a body, those of lists and objects within it behind their own names."""
    body = _resolved(schema, body)
    required = body.get("required", ())
    for name, described in body.get("properties", {}).items():
        inner = _resolved(schema, described)
        items = _resolved(schema, inner.get("items", {}))
        text = described.get("description", "")
        yield Field(f"{before}{name}", _kind(inner), text, name in required)
        if items.get("properties"):
            yield from _fields(schema, items, f"{before}{name}[].")
        elif inner.get("properties"):
            yield from _fields(schema, inner, f"{before}{name}.")


def _resolved(schema: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a `$ref` and merge `allOf`."""
    for each in described.get("allOf", ()):
        described = {**each, **described}
    name = described.get("$ref", "").removeprefix(_REFERENCE)
    found: Mapping[str, Any] = schema["components"]["schemas"][name] if name else described
    return found


def _kind(described: Mapping[str, Any]) -> str:
    if "enum" in described:
        return " | ".join(map(str, described["enum"]))
    kind = described.get("format") or described.get("type", "object")
    kind = {"double": "number", "date-time": "time"}.get(kind, kind)
    return f"{kind} or null" if described.get("nullable") else str(kind)
