"""Errors of the API in one shape: `{"error": {"code", "message"}}`, one clear sentence."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as BadValue
from django.db import DatabaseError, DataError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.response import Response

from goldtrader.refusals import API_PATH, BAD_REQUEST, BAD_VALUE, body, refusal

log = structlog.get_logger(__name__)

_UNAVAILABLE = "A part of the system does not answer; try again in a moment."
_FAULT = "The server made a mistake, which is in its log; try again or tell the operator."
_NOT_FOUND = "There is nothing at this address."
_TOO_LARGE = "The request's body is too large."


def answer(exc: Exception, context: Mapping[str, Any]) -> Response:
    """The response to an exception; unexpected ones are logged here, once."""
    if isinstance(exc, Http404):
        exc = exceptions.NotFound(str(exc) or _NOT_FOUND)
    if isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, exceptions.APIException):
        headers = _headers(exc)
        return Response(
            body(code_of(exc), sentence_of(exc.detail)), status=exc.status_code, headers=headers
        )
    path = getattr(context.get("request"), "path", "")
    refused = _refused(exc)
    if refused is not None:
        log.warning("request_refused", path=path, detail=str(exc))
        status, code, sentence = refused
        return Response(body(code, sentence), status=status)
    if isinstance(exc, DatabaseError | InterfaceError | RedisError):
        log.error("api_unavailable", path=path, detail=str(exc))
        return Response(body("unavailable", _UNAVAILABLE), status=503, headers={"Retry-After": "5"})
    log.error("api_fault", path=path, exc_info=exc)
    return Response(body("server_error", _FAULT), status=500)


def _refused(exc: Exception) -> tuple[int, str, str] | None:
    """Status, code and sentence where the request caused the exception; else `None`.

    `DataError` is the database's own refusal of a value, such as a NUL or a number out of range.
    """
    match exc:
        case RequestDataTooBig():
            return 413, "too_large", _TOO_LARGE
        case SuspiciousOperation() | BadValue():
            return 400, "invalid", BAD_REQUEST
        case DataError():
            return 400, "invalid", BAD_VALUE
    return None


def code_of(exc: exceptions.APIException) -> str:
    """The error's code for programs, such as `not_found` or `invalid`."""
    code: str = exc.default_code
    return code


def sentence_of(detail: Any) -> str:
    """The first of DRF's error messages as one sentence, with the field's name before it."""
    if isinstance(detail, Mapping):
        name, first = next(iter(detail.items()))
        sentence = sentence_of(first)
        return sentence if name in {"detail", "non_field_errors"} else f"{name}: {sentence}"
    if isinstance(detail, Sequence) and not isinstance(detail, str):
        return sentence_of(detail[0]) if detail else "The request is not valid."
    return str(detail)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer an unknown address: JSON below /api/, a page elsewhere."""
    if request.path.startswith(API_PATH):
        return JsonResponse(body("not_found", _NOT_FOUND), status=404)
    return defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:  # noqa: ARG001
    """Answer a request that Django itself refused, such as one for a host that is not ours."""
    return refusal(request, 400, "invalid", BAD_REQUEST)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer an exception outside of the API's own views: JSON below /api/, a page elsewhere."""
    if request.path.startswith(API_PATH):
        return JsonResponse(body("server_error", _FAULT), status=500)
    return defaults.server_error(request)


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if (challenge := getattr(exc, "auth_header", None)) is not None:
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(ceil(wait))
    return headers
