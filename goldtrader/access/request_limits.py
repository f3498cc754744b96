"""Refuses requests that are too large or hold what no text can, before anything reads them."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from goldtrader.refusals import BAD_VALUE, refusal

log = structlog.get_logger(__name__)

_NUL = "\0"
_NUL_IN_QUERY = "%00"
UNREADABLE = "The request has a NUL character in its {place}; leave it out."


class RequestLimits:
    """Middleware: 413 for a body above REQUEST_BODY_LIMIT, 400 for text that no field can hold.

    The body is judged by its announced length, so that none of it is read.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The refusal, or the answer of what follows."""
        if _length(request) > settings.REQUEST_BODY_LIMIT:
            return too_large(request)
        place = _place_of_nul(request)
        if place is not None:
            return refusal(request, 400, "invalid", UNREADABLE.format(place=place))
        return self._get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """The refusal of a value that only the database or the reader of forms found wrong."""
        if isinstance(exception, RequestDataTooBig):
            return too_large(request)
        if isinstance(exception, DataError):
            # The value came from the caller: what the product itself writes was checked before.
            log.warning("value_refused", path=request.path, detail=str(exception))
            return refusal(request, 400, "invalid", BAD_VALUE)
        return None


def too_large(request: HttpRequest) -> HttpResponseBase:
    """The refusal of a body above the limit; the connection ends with it."""
    limit = settings.REQUEST_BODY_LIMIT
    sentence = f"The request's body is larger than {limit:,} bytes."
    response = refusal(request, 413, "too_large", sentence)
    response["Connection"] = "close"
    return response


def _length(request: HttpRequest) -> int:
    """The announced length of the body; 0 where there is none, or none that is a number."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return int(announced) if announced.isdecimal() and len(announced) < 20 else 0


def _place_of_nul(request: HttpRequest) -> str | None:
    """Where the request holds a NUL, which PostgreSQL's texts cannot; `None` where it has none."""
    if _NUL in request.path_info:
        return "path"
    if _NUL_IN_QUERY in request.META.get("QUERY_STRING", ""):
        return "query"
    if "HTTP_COOKIE" in request.META and any(_NUL in value for value in request.COOKIES.values()):
        return "cookies"
    return None
