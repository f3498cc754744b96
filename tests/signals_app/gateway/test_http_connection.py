"""Requests on a connection: one after the other, and bounded."""

import asyncio
from typing import Any, cast

import pytest

from signals_app.gateway import http_connection
from signals_app.gateway.http_connection import HttpConnection
from signals_app.gateway.http_entry import HttpEntry
from signals_app.gateway.http_messages import PostRefused
from signals_app.gateway.tokens import Claims
from tests.signals_app.gateway.fakes import until

REQUEST = (
    b"POST /http/v1/ticks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)


class FakeEntry:
    """Stands in for `HttpEntry`: answers with what it heard."""

    connections = 0

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def admit(self, token: str) -> Claims:
        if token != "good":
            raise PostRefused(http_connection.HTTPStatus.UNAUTHORIZED, "AUTH_FAILED", "no")
        return Claims("mt5", ("XAUUSD",), "id", 0, 0)

    async def answer(self, claims: Claims, token: str, body: bytes, *_: Any) -> bytes:
        self.heard.append(body)
        await asyncio.sleep(0)
        if body == b"no":
            raise RuntimeError("nobody foresaw this")
        return b"[%d]" % len(self.heard)


class FakeLine(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_over = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_over

    def close(self) -> None:
        self.is_over = True

    abort = close

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Opened:
    """A connection, and what is at its other end."""

    def __init__(self) -> None:
        self.line, self.entry = FakeLine(), FakeEntry()
        self.verified = 0
        self.http = HttpConnection(
            self.line, cast("HttpEntry", self.entry), "192.0.2.1", self._verify, lambda: None
        )

    def _verify(self) -> None:
        self.verified += 1


@pytest.fixture
async def opened() -> Opened:
    return Opened()


async def test_requests_that_come_together_are_answered_in_order(opened: Opened) -> None:
    opened.http.data_received(REQUEST + REQUEST[:-2])
    opened.http.data_received(b"[]")
    await until(lambda: opened.line.written.endswith(b"[2]"))
    assert opened.entry.heard == [b"{}", b"[]"]
    assert opened.line.written.count(b"HTTP/1.1 200 OK") == 2
    assert not opened.line.is_over
    opened.http.connection_lost(None)
    assert opened.entry.connections == 0


async def test_a_fault_is_answered_without_its_details(opened: Opened) -> None:
    opened.http.data_received(REQUEST[:-2] + b"no")
    await until(lambda: b" 500 " in opened.line.written)
    assert b"nobody foresaw" not in opened.line.written


async def test_who_has_no_good_token_is_refused_before_its_body(opened: Opened) -> None:
    opened.http.data_received(REQUEST.replace(b"good", b"bad")[:-2])
    assert b" 401 " in opened.line.written
    assert (opened.line.is_over, opened.verified, opened.entry.heard) == (True, 0, [])
    opened.http.data_received(b"{}")


async def test_a_body_that_does_not_come_ends_the_connection(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connection, "_BODY_TIMEOUT", 0.01)
    opened.http.data_received(REQUEST[:-1])
    assert opened.verified == 1
    await until(lambda: opened.line.is_over)


async def test_connections_beyond_what_can_be_held_are_refused(opened: Opened) -> None:
    opened.entry.connections = 201
    opened.http.data_received(REQUEST)
    assert b" 429 " in opened.line.written
    assert b"Retry-After: 5" in opened.line.written
