"""The doors of the web server: who is behind a request, for the audit."""

from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from goldtrader.access.addresses import client_address
from signals_app.actor import Actor, Door, acting
from signals_app.services import audit
from signals_app.services.audit import Change

log = structlog.get_logger(__name__)

_API_PATH = "/api/"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class NameTheActor:
    """Says who is behind each request, and sees to it that none that changes goes unrecorded.

    A request that was carried out and of which the audit knows nothing is recorded by its address
    alone. It costs no query where nothing is changed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting(partial(actor_of, request), may=partial(_may, request)) as act:
            response = self._get_response(request)
            if request.method not in _SAFE and not act.changes and _was_done(request, response):
                _record_request(request)
        return response


def actor_of(request: HttpRequest) -> Actor:
    """Who is behind a request: the API key's name, or the user's."""
    address = client_address(request)
    where = "" if address is None else str(address)
    via = f"{request.method} {request.path}"
    if request.path.startswith(_API_PATH):
        key = _key_of(request)
        who, key_id = ("", "") if key is None else (key.name, key.prefix)
        return Actor(Door.API, who or "nobody", key_id, where, via)
    return Actor(Door.ADMIN, _user_of(request) or "nobody", "", where, via)


def record_logins() -> None:
    """Have the audit know who logged in and out; called once, by `AppConfig.ready()`."""
    user_logged_in.connect(partial(_record_user, "logged in"), weak=False, dispatch_uid="audit in")
    user_logged_out.connect(
        partial(_record_user, "logged out"), weak=False, dispatch_uid="audit out"
    )


def _record_user(action: str, *, user: AbstractUser | None, **_: Any) -> None:
    if user is not None:
        audit.record(Change(action, user._meta.label_lower, user.get_username()))


def _may(request: HttpRequest, right: str) -> bool:
    user: Any = getattr(request, "user", None)
    return user is not None and user.has_perm(right)


def _was_done(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether somebody known asked for it, and was not refused.

    The admin shows a form again, which is no change, with 200; what it did it answers by a
    redirection.
    """
    if request.path.startswith(_API_PATH):
        return _key_of(request) is not None and response.status_code < 400
    return 300 <= response.status_code < 400 and bool(_user_of(request))


def _record_request(request: HttpRequest) -> None:
    try:
        audit.record(Change("requested", "", request.path))
    except DatabaseError:
        log.exception("audit_not_written", path=request.path)


def _key_of(request: HttpRequest) -> Any:
    return getattr(request, "api_key", None)


def _user_of(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    return user.get_username() if user is not None and user.is_authenticated else ""
