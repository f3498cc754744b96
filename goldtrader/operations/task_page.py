"""Flower, the page about tasks: behind a password, for requests to its own names, and bounded.

Whoever may use it may run and revoke tasks and stop workers.
"""

import base64
import binascii
import hmac
import os
import signal
from collections.abc import Iterable
from typing import Any

from celery import Celery
from django.conf import settings
from django.http.request import validate_host
from flower.app import Flower
from flower.options import default_options
from flower.urls import settings as web_settings
from tornado.httputil import HTTPServerRequest
from tornado.web import ErrorHandler, RequestHandler

USER = "flower"
#: Names that only lead to this machine; a page of another site cannot claim them.
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
#: Some hours of an idle stack; each task takes a few kB.
_MOST_TASKS = 2_000
_MOST_WORKERS = 50
_FORGET_WORKERS_SECONDS = 3_600


def serve(app: Celery, *, address: str, port: int, password: str) -> None:
    """Serve the page on an app's tasks to who knows the password; ends the process when asked."""
    # Its threads may wait for a broker that is gone, and hold nothing that must be kept.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: os._exit(0))
    default_options.address, default_options.port = address, port
    page = page_of(app, password=password)
    page.start_http_server()
    page.start()


def page_of(app: Celery, *, password: str) -> "GuardedFlower":
    """The page on an app's tasks, of which it keeps the latest."""
    options = default_options
    options.basic_auth = [f"{USER}:{password}"]
    options.max_tasks, options.max_workers = _MOST_TASKS, _MOST_WORKERS
    options.purge_offline_workers = _FORGET_WORKERS_SECONDS
    return GuardedFlower(
        capp=app,
        options=options,
        password=password,
        hosts=allowed_hosts(settings.ALLOWED_HOSTS),
        **web_settings,
    )


def allowed_hosts(named: Iterable[str]) -> list[str]:
    """The hosts that a request may be for: this machine's own, and those that were named."""
    return [*_LOOPBACK_NAMES, *(host for host in named if host != "*")]


class GuardedFlower(Flower):  # type: ignore[misc]
    """Flower that answers nothing at all to a request without the password or for another host.

    A page that a browser was led to under another name (DNS rebinding) is a request for that name.
    """

    def __init__(self, *, password: str, hosts: list[str], **options: Any) -> None:
        super().__init__(**options)
        self._credentials = f"{USER}:{password}".encode()
        self._hosts = hosts

    @property
    def broker_uri_with_password(self) -> str:
        """The broker's address with the password, which Celery's settings keep apart."""
        return str(settings.REDIS_URL)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        if not validate_host(request.host_name, self._hosts):
            return self.get_handler_delegate(request, ErrorHandler, {"status_code": 400})
        if not self._knows_password(request):
            return self.get_handler_delegate(request, _AskForPassword)
        return super().find_handler(request, **kwargs)

    def _knows_password(self, request: HTTPServerRequest) -> bool:
        kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return kind == "Basic" and hmac.compare_digest(given, self._credentials)


class _AskForPassword(RequestHandler):
    def prepare(self) -> None:
        self.set_status(401)
        self.set_header("WWW-Authenticate", 'Basic realm="Flower"')
        self.finish("Access denied")
