"""How long a caller may take for what it is at."""

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from goldtrader.web.channel import BoundedChannel, Deadlines
from goldtrader.web.server import ConnectionLimits, adjustments

DEADLINES = Deadlines(headers=10, body=30, idle=20)


@pytest.fixture
def channel() -> Iterator[BoundedChannel]:
    ours, theirs = socket.socketpair()
    server: Any = SimpleNamespace(active_channels={}, add_task=lambda _: None)
    adj = adjustments(threads=1, limits=ConnectionLimits(10, 10, 1000, DEADLINES))
    made = BoundedChannel(server, ours, ("10.0.0.1", 1), adj, map={})
    yield made
    for each in (ours, theirs):
        each.close()


def overdue_after(channel: BoundedChannel, since: float) -> float | None:
    """The first of some moments at which it is overdue."""
    later = (
        after for after in (9, 11, 19, 21, 29, 31) if channel.is_overdue(since + after, DEADLINES)
    )
    return next(later, None)


def test_a_caller_that_says_nothing_is_overdue_as_one_without_headers(
    channel: BoundedChannel,
) -> None:
    assert overdue_after(channel, channel.creation_time) == 11


def test_headers_and_bodies_have_deadlines_from_their_first_byte_on(
    channel: BoundedChannel,
) -> None:
    channel.received(b"POST / HTTP/1.1\r\n")
    began = channel.waits_since
    channel.last_activity = began + 1000

    assert overdue_after(channel, began) == 11
    channel.received(b"Content-Length: 10\r\n\r\n12")
    assert channel.waits_since == began
    assert overdue_after(channel, began) == 31


def test_between_requests_a_caller_may_wait(channel: BoundedChannel) -> None:
    channel.last_activity = channel.creation_time + 5

    assert overdue_after(channel, channel.last_activity) == 21


def test_a_request_that_is_answered_is_never_overdue(channel: BoundedChannel) -> None:
    channel.received(b"GET / HTTP/1.1\r\n\r\n")

    assert channel.is_busy
    assert overdue_after(channel, channel.creation_time) is None


def test_who_does_not_read_its_answer_is_closed(channel: BoundedChannel) -> None:
    channel.total_outbufs_len = 5

    assert overdue_after(channel, channel.last_activity) == 31
