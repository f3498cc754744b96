"""Logging in by a password: who tries too often waits, before anything is hashed.

Tries are counted by user and address, by address, and by user. The last count, of all addresses
together, leaves out browsers in which the user has logged in before: strangers cannot lock anybody
out of those.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import time
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractUser, User
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from goldtrader.access.addresses import caller_network
from goldtrader.access.passwords import TooManyPasswords, Whose, hashing_for
from goldtrader.access.rates import Event, Rate, count, plain
from goldtrader.refusals import refusal
from trades_app.models import Message
from trades_app.notifications import outbox
from trades_app.notifications.content.alerts import LoginBurst
from trades_app.notifications.outbox import Subject

log = structlog.get_logger(__name__)

COOKIE = "known_browser"
_SALT = "goldtrader.known-browser"
_COOKIE_SECONDS = 90 * 86_400
_ALERT_EVERY_SECONDS = 3600


class TooManyTries(Exception):  # noqa: N818 - a refusal
    """This try is one too many: so many seconds have to pass before the next one."""

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait = max(1, ceil(wait))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: whose name, from where, and which browser where the user logged in by it before."""

    user: str
    caller: str
    browser: str | None

    @classmethod
    def of(cls, request: HttpRequest, username: str) -> "Attempt":
        """The try of a request."""
        return cls(plain(username), str(caller_network(request)), _known_browser(request, username))

    def counts(self) -> list[tuple[Event, Rate]]:
        """What it counts as, and how often that may happen."""
        pair, address = Rate.of(settings.LOGIN_LIMIT), Rate.of(settings.LOGIN_ADDRESS_LIMIT)
        if self.browser is not None:
            return [(Event(f"login:browser:{self.browser}", pair.seconds), pair)]
        user = Rate.of(settings.LOGIN_USER_LIMIT)
        return [
            (Event(f"login:pair:{self.user}:{self.caller}", pair.seconds), pair),
            (Event(f"login:address:{self.caller}", address.seconds), address),
            (Event(f"login:user:{self.user}", user.seconds), user),
        ]

    def count(self) -> float:
        """Count the try; the seconds to wait, 0 where it may go on."""
        counts = self.counts()
        counted = count([event for event, _ in counts])
        return max(
            (
                each.wait
                for each, (_, rate) in zip(counted, counts, strict=True)
                if each.times > rate.most
            ),
            default=0.0,
        )

    def take_back(self) -> None:
        """Count it no more: it was no wrong try."""
        count([event for event, _ in self.counts()], -1)


class PatientBackend(ModelBackend):
    """Django's users; a try beyond the limits is refused before its password is hashed."""

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, **credentials: Any
    ) -> User | None:
        """The user; `None` for a wrong password; raises `TooManyTries`."""
        username = credentials.get("username")
        if request is None or not username:
            return super().authenticate(request, **credentials)
        attempt = Attempt.of(request, username)
        wait = attempt.count()
        if wait:
            log.warning("login_throttled", caller=attempt.caller, seconds=ceil(wait))
            raise TooManyTries(wait)
        whose = Whose(attempt.caller, is_known=attempt.browser is not None)
        try:
            with hashing_for(whose):
                user = super().authenticate(request, **credentials)
        except TooManyPasswords as busy:
            attempt.take_back()
            raise TooManyTries(busy.retry_after) from None
        if user is None:
            _watch_for_burst(attempt)
        else:
            attempt.take_back()
        return user


class LoginAnswers:
    """Middleware: 429 for a try too many, and a cookie for a browser that a user logged in by."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer, with what logging in adds to it."""
        response = self._get_response(request)
        known = getattr(request, "login_cookie", None)
        if known is not None:
            response.set_cookie(
                COOKIE,
                known,
                max_age=_COOKIE_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The refusal of a try too many, by a page that costs little; and of other forms."""
        if isinstance(exception, TooManyTries):
            sentence = f"Too many tries. Wait {_said(exception.wait)}, then try again."
            return refusal(
                request, 429, "throttled", sentence, {"Retry-After": str(exception.wait)}
            )
        if isinstance(exception, TooManyPasswords):
            sentence = "Too many passwords are checked at the moment; try again."
            return refusal(
                request, 503, "unavailable", sentence, {"Retry-After": str(exception.retry_after)}
            )
        return None


def remember_browsers() -> None:
    """Have browsers known by whom they were used to log in; called once, by `AppConfig.ready()`."""
    user_logged_in.connect(_remember, dispatch_uid="known browser")


def _remember(*, request: HttpRequest | None, user: AbstractUser, **_: Any) -> None:
    username = user.get_username()
    if request is not None and _known_browser(request, username) is None:
        value = [plain(username), secrets.token_hex(8)]
        request.login_cookie = signing.dumps(value, salt=_SALT)  # type: ignore[attr-defined]


def _known_browser(request: HttpRequest, username: str) -> str | None:
    """What names the request's browser where this user logged in by it; else `None`."""
    try:
        user, browser = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_COOKIE_SECONDS
        )
    except (signing.BadSignature, ValueError):
        return None
    return str(browser) if user == plain(username) else None


def _watch_for_burst(attempt: Attempt) -> None:
    """Count a wrong password; where there are many, tell the operators, at most once an hour."""
    rate = Rate.of(settings.LOGIN_ALERT_LIMIT)
    (wrong,) = count([Event("login:wrong", rate.seconds)])
    if wrong.times != rate.most + 1:
        return
    log.warning("login_burst", wrong=wrong.times, caller=attempt.caller)
    alert = LoginBurst(wrong=wrong.times, seconds=rate.seconds, last_from=attempt.caller)
    key = f"alert:login:{time() // _ALERT_EVERY_SECONDS:.0f}"
    try:
        outbox.put(Message.Kind.ALERT, Subject.for_operators(), key, alert)
    except DatabaseError:
        log.exception("alert_not_written")


def _said(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{ceil(seconds / 60)} minutes"
