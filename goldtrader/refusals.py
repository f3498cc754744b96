"""How a request is refused outside of the API's own views: JSON below /api/, a page elsewhere."""

from collections.abc import Mapping
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.html import format_html

API_PATH = "/api/"
BAD_REQUEST = "The request is not valid."
BAD_VALUE = "The request has a value that no such field can hold."
_PAGE = '<!doctype html><html lang="en"><title>{0}</title><h1>{0}</h1><p>{1}</p></html>'


def body(code: str, message: str) -> dict[str, dict[str, str]]:
    """The one shape of the API's errors: a code for programs, a sentence for people."""
    return {"error": {"code": code, "message": message}}


def refusal(
    request: HttpRequest,
    status: int,
    code: str,
    sentence: str,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer that says by one sentence what is wrong with the request."""
    if request.path.startswith(API_PATH):
        return JsonResponse(body(code, sentence), status=status, headers=headers)
    page = format_html(_PAGE, HTTPStatus(status).phrase, sentence)
    return HttpResponse(page, status=status, headers=headers)
