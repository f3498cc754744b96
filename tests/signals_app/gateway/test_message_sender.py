"""Messages are sent in order, acknowledgements together, and the close comes last."""

import asyncio

import pytest

from mt5_bridge.protocol.wire import ErrorCode
from signals_app.gateway import message_sender, metrics, replies
from signals_app.gateway.actions import Close, RenewLeases
from signals_app.gateway.message_sender import MessageSender
from tests.signals_app.gateway.fakes import FakeSocket

NOW = 1_704_456_000_000


async def test_messages_come_before_acknowledgements_and_the_close_comes_last() -> None:
    socket = FakeSocket()
    sender = MessageSender(socket)
    for seq in (3, 8):
        sender.acknowledge("XAUUSD", seq)
    sender.acknowledge("EURUSD", 2)
    sender.carry_out((replies.connected(NOW), Close(1001, "x" * 200)))
    await sender.run()
    assert socket.sent_types() == ["connected", "ack", "ack"]
    assert socket.sent[1:] == [
        {"type": "ack", "symbol": "XAUUSD", "seq": 8},
        {"type": "ack", "symbol": "EURUSD", "seq": 2},
    ]
    # A close frame has no room for more.
    assert socket.closed == (1001, "x" * 120)


async def test_a_peer_that_does_not_read_gets_no_more_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(message_sender, "_MAX_OUTGOING", 2)
    socket = FakeSocket()
    sender = MessageSender(socket)
    counter = metrics.errors_sent.labels("BAD_TICK")
    before = counter._value.get()
    for _ in range(5):
        sender.carry_out((replies.error(ErrorCode.BAD_TICK, "bad", NOW),))
    sender.carry_out((replies.heartbeat_ack(NOW), Close(1001, "")))
    await sender.run()
    assert socket.sent_types() == ["error", "error", "heartbeat_ack"]
    assert counter._value.get() == before + 5


async def test_a_message_that_is_not_taken_in_time_ends_the_sending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(message_sender, "_SEND_TIMEOUT", 0.01)

    class Stalled(FakeSocket):
        async def send(self, message: str) -> None:
            await asyncio.sleep(60)

    sender = MessageSender(Stalled())
    sender.carry_out((replies.connected(NOW),))
    with pytest.raises(TimeoutError):
        await sender.run()


def test_an_action_that_does_more_than_speak_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        MessageSender(FakeSocket()).carry_out((RenewLeases(("XAUUSD",)),))
