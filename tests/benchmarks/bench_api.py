"""What a request to the API costs in processor time, within one process: no sockets, no waiting.

    python -m pytest -n 0 -s tests/benchmarks/bench_api.py

Each figure is the least of several rounds, since whatever else runs on the machine only adds to it.
"""

import io
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from goldtrader.models import ApiKey
from tests.callers import API
from tests.trades_app.rows import numbered, stored_trade

pytestmark = pytest.mark.django_db

REQUESTS, ROUNDS = 100, 5
PATHS = {
    "nothing there (404)": f"{API}/nothing",
    "no key (401)": f"{API}/signals",
    "config": f"{API}/config",
    "one signal": f"{API}/signals/XAU_20240105_001",
    "50 signals": f"{API}/signals",
    "50 trades": f"{API}/trades",
}


def milliseconds(work: Callable[[], object]) -> float:
    """The least processor time of one call over the rounds, in milliseconds."""
    work()
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REQUESTS):
            work()
        best = min(best, time.process_time() - began)
    return best / REQUESTS * 1000


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Keep the test's connection, as a web process keeps its own between requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("redis_client", "one_connection")
def test_the_processor_time_of_requests(
    capsys: pytest.CaptureFixture[str], settings: object
) -> None:
    settings.API_REFUSED_LIMIT = "1000000/d"  # type: ignore[attr-defined]
    for number in range(1, 51):
        stored_trade(numbered(number))
    _, key = ApiKey.objects.create_key(name="bench")
    application = get_wsgi_application()
    sentences, statuses = [], list[str]()
    for name, path in PATHS.items():
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "HTTP_HOST": "localhost",
        }
        if "401" not in name:
            environ["HTTP_AUTHORIZATION"] = f"Api-Key {key}"

        def ask(environ: dict[str, str] = environ) -> bytes:
            sent = {**environ, "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()}
            answer = application(sent, lambda answered, _: statuses.append(answered))
            content = b"".join(answer)
            answer.close()
            return content

        statuses.clear()
        sentences.append(f"{name:20} {milliseconds(ask):6.2f} ms")
        (status,) = {each[:3] for each in statuses}
        assert status == ("404" if "404" in name else "401" if "401" in name else "200")
    with capsys.disabled():
        sys.stdout.write("\n".join(("", *sentences, "")))
