"""What answers yet, and the sentence about what never will."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from goldtrader.stack.errors import StackError
from goldtrader.stack.servers.readiness import listens, missing, require_database, require_redis


@contextmanager
def web(status: int, body: str) -> Iterator[int]:
    """A web server that gives this health; yields its port."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def nobody() -> int:
    """A port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_nothing_is_missing_where_health_is_good() -> None:
    with web(200, "") as port:
        assert missing(port) is None
        assert listens(port)


def test_parts_that_are_down_are_named() -> None:
    parts = {"workers": "down", "beat": "degraded", "gateway": "down", "redis": "ok"}
    with web(503, json.dumps({"components": parts})) as port:
        assert missing(port) == "gateway, workers"


def test_a_web_server_that_is_away_or_answers_something_else_is_missing_itself(
    nobody: int,
) -> None:
    assert missing(nobody) == "web"
    assert not listens(nobody)
    with web(500, "<h1>no</h1>") as port:
        assert missing(port) == "web (it answers 500)"


def test_servers_that_the_user_named_and_that_are_away_are_one_sentence(nobody: int) -> None:
    with pytest.raises(StackError, match=f"No Redis of REDIS_URL answers at 127.0.0.1:{nobody}"):
        require_redis(f"redis://127.0.0.1:{nobody}/0")
    with pytest.raises(StackError, match="The database of DATABASE_URL is not usable: ") as failed:
        require_database(f"postgresql://u:secret@127.0.0.1:{nobody}/d")
    assert "\n" not in str(failed.value)
