"""Counts requests to the API and times queries, where they happen."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

api_requests = Counter("api_requests", "Requests to the API", ["method", "endpoint", "status"])
database_queries = Histogram(
    "database_queries_duration",
    "Seconds that a query took",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)


class CountApiRequests:
    """Middleware that counts the API's requests by method, endpoint and status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, and count it."""
        response = self._get_response(request)
        if request.path.startswith("/api/"):
            found = request.resolver_match
            endpoint = found.view_name if found is not None else "unknown"
            # A client must not be able to make new label values, each of which takes memory.
            method = request.method if request.method in {"GET", "POST"} else "other"
            api_requests.labels(method, endpoint, str(response.status_code)).inc()
        return response


def time_queries() -> None:
    """Time every query of the connections that are opened from now on."""
    connection_created.connect(_time_connection, dispatch_uid="database_queries_duration")


def _time_connection(connection: Any, **_: Any) -> None:
    if _timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(_timed)


def _timed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    started = perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        database_queries.observe(perf_counter() - started)
