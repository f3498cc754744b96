"""The socket that requests stand in for."""

import asyncio

import pytest
from websockets.exceptions import ConnectionClosedOK

from signals_app.gateway.http_session import HttpSocket


async def test_frames_come_in_order_and_it_is_idle_behind_the_last() -> None:
    socket = HttpSocket("192.0.2.1", lambda: None)
    socket.put(["a", "b"])
    assert [await socket.recv(), await socket.recv()] == ["a", "b"]
    assert not socket.is_idle.is_set()
    waiting = asyncio.create_task(socket.recv())
    await asyncio.wait_for(socket.is_idle.wait(), 5)
    socket.put([])
    assert socket.is_idle.is_set()
    socket.transport.abort()
    with pytest.raises(ConnectionClosedOK):
        await waiting


async def test_errors_and_answers_to_history_are_kept_and_the_end_is_known() -> None:
    socket = HttpSocket(None, lambda: None)
    for kind in ("connected", "ack", "error", "auth_ok", "history_ack", "heartbeat_ack"):
        await socket.send(f'{{"type":"{kind}"}}')
    assert list(socket.told) == ['{"type":"error"}', '{"type":"history_ack"}']
    await socket.close(4401, "AUTH_FAILED: no")
    assert socket.closed == (4401, "AUTH_FAILED: no")


async def test_who_is_let_in_is_told_on() -> None:
    let_in: list[bool] = []
    socket = HttpSocket(None, lambda: let_in.append(True))
    socket.verified()
    socket.let_in()
    assert let_in == [True]
