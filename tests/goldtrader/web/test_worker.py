"""Slow, silent and huge callers beside a good one, who notices nothing of them."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import repeat
from pathlib import Path

import httpx
import pytest
from pytest_django import Settings

from goldtrader.web import worker
from goldtrader.web.channel import Deadlines
from goldtrader.web.server import ConnectionLimits
from tests.goldtrader.web.serving import Web, web_server

HEADERS_SECONDS, BODY_SECONDS, IDLE_SECONDS = 1.5, 2.5, 1.0
BY_ADDRESS = 15
LIMIT = 1_048_576
POST = (
    "POST /api/v1/config/update HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    log = tmp_path_factory.mktemp("web") / "web.log"
    with web_server(
        log,
        WEB_HEADER_SECONDS=str(HEADERS_SECONDS),
        WEB_BODY_SECONDS=str(BODY_SECONDS),
        WEB_IDLE_SECONDS=str(IDLE_SECONDS),
        WEB_CONNECTIONS_PER_ADDRESS=str(BY_ADDRESS),
        WEB_CONNECTIONS="20",
    ) as started:
        # The first request of a process costs more than others.
        for _ in range(2):
            good_answers(started)
        yield started


def drip(sock: socket.socket) -> None:
    """Send one more byte of whatever it is."""
    with suppress(OSError):
        sock.send(b"x")


def slow_body(sock: socket.socket) -> None:
    sock.sendall(f"{POST}Content-Length: 1000\r\n\r\n{{".encode())


def slow_chunks(sock: socket.socket) -> None:
    sock.sendall(f"{POST}Transfer-Encoding: chunked\r\n\r\n3\r\n".encode())


def slow_headers(sock: socket.socket) -> None:
    sock.sendall(b"GET /api/v1/docs HTTP/1.1\r\nHost: localhost\r\nX-A: ")


def silence(sock: socket.socket) -> None:
    """Connect, and say nothing."""


def good_answers(web: Web) -> list[float]:
    """The seconds that each of some good requests took, each with a connection of its own."""
    took = []
    for _ in range(6):
        began = time.monotonic()
        assert httpx.get(f"{web.url}/api/v1/nothing", timeout=10).status_code == 404
        took.append(time.monotonic() - began)
    return took


def answer(sock: socket.socket) -> bytes:
    """All that the server sends until it closes."""
    received = b""
    with suppress(ConnectionError):
        while part := sock.recv(65_536):
            received += part
    return received


@pytest.mark.parametrize(
    ("begin", "goes_on", "within", "status"),
    [
        (slow_body, True, BODY_SECONDS, b"HTTP/1.1 408 "),
        (slow_chunks, False, BODY_SECONDS, b"HTTP/1.1 408 "),
        (slow_headers, True, HEADERS_SECONDS, b"HTTP/1.1 408 "),
        (silence, False, HEADERS_SECONDS, b""),
    ],
)
def test_ten_slow_callers_cost_a_good_one_nothing_and_are_closed(
    web: Web, begin: Callable[[socket.socket], None], goes_on: bool, within: float, status: bytes
) -> None:
    with ExitStack() as held:
        slow = [held.enter_context(web.connect()) for _ in range(10)]
        began = time.monotonic()
        for each in slow:
            begin(each)

        took = good_answers(web)

        for each in slow * goes_on:
            drip(each)
        # Less than the slow ones have: nobody waited for them.
        assert max(took) < HEADERS_SECONDS
        assert {answer(each).startswith(status) for each in slow} == {True}
        # Deadlines are looked at once a second.
        assert time.monotonic() - began < within + 4


def send(sock: socket.socket, head: str, parts: Iterator[bytes]) -> bytes:
    """Send until the other side ends, as clients do that read only then; what it said."""
    sock.sendall(head.encode())
    with suppress(OSError):
        for part in parts:
            sock.sendall(part)
    return answer(sock)


def test_a_body_of_200_megabytes_is_refused_and_not_held(web: Web) -> None:
    before = web.memory()
    megabyte = b" " * LIMIT
    with web.connect() as sock:
        said = send(sock, f"{POST}Content-Length: {200 * LIMIT}\r\n\r\n", repeat(megabyte, 200))

    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"application/json" in head
    assert (
        body == b'{"error": {"code": "too_large", "message": "The request\'s body is too large."}}'
    )
    assert web.memory() - before < 10 * LIMIT


def test_a_body_without_end_is_refused_at_the_limit(web: Web) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    with web.connect() as sock:
        said = send(sock, f"{POST}Transfer-Encoding: chunked\r\n\r\n", repeat(chunk, 3000))

    assert said.startswith(b"HTTP/1.1 413 ")


def test_headers_without_end_are_refused(web: Web) -> None:
    with web.connect() as sock:
        said = send(sock, "GET / HTTP/1.1\r\n", repeat(b"X-A: " + b"a" * 1000 + b"\r\n", 100))

    assert b" 431 " in said.partition(b"\r\n")[0]


def test_a_good_caller_keeps_its_connection(web: Web) -> None:
    with httpx.Client(base_url=web.url) as client:
        answers = [client.get("/api/v1/docs") for _ in range(5)]
        ports = {
            answer.extensions["network_stream"].get_extra_info("client_addr")[1]
            for answer in answers
        }

    assert {answer.status_code for answer in answers} == {200}
    assert len(ports) == 1


def test_a_chunked_body_within_the_limit_is_read(web: Web) -> None:
    with web.connect() as sock:
        sock.sendall(
            f"{POST}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()
            + b"2\r\n{}\r\n0\r\n\r\n"
        )
        # No key: it was read whole, and judged.
        assert answer(sock).startswith(b"HTTP/1.1 401 ")


def test_who_takes_all_connections_gives_way_to_the_next(web: Web) -> None:
    with ExitStack() as held:
        # More than an address gets, from three addresses, which together have more than there are.
        for address in ("127.0.0.2", "127.0.0.3", "127.0.0.4"):
            for _ in range(3 * BY_ADDRESS):
                slow_body(held.enter_context(web.connect(address)))

        assert max(good_answers(web)) < 1.0


def test_what_was_asked_before_the_end_is_answered(tmp_path: Path) -> None:
    with web_server(tmp_path / "web.log") as web, web.connect() as idle, web.connect() as sock:
        # Answered once, so that it is surely accepted.
        sock.sendall(b"GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert sock.recv(65_536).startswith(b"HTTP/1.1 404 ")
        time.sleep(0.2)
        sock.sendall(b"GET /api/v1/docs HTTP/1.1\r\nHost: localhost\r\n\r\n")
        web.master.terminate()

        # Behind the rest of the first answer.
        assert b"HTTP/1.1 200 " in answer(sock)
        assert answer(idle) == b""


def test_behind_proxies_addresses_are_not_counted(settings: Settings) -> None:
    alone = worker.limits_of_settings()
    settings.TRUSTED_PROXIES = 1
    behind = worker.limits_of_settings()

    assert alone == ConnectionLimits(200, 100, LIMIT, Deadlines(headers=10, body=30, idle=30))
    assert behind.connections_by_address is None
