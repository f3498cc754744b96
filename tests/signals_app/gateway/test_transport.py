"""What a peer can make the gateway hold, at the level of bytes."""

import socket

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

from signals_app.gateway.transport import BoundedProtocol, is_cut, listen

LIMIT = 1000


class Peer:
    """A client that has finished the handshake, and the server's protocol that hears it."""

    def __init__(self) -> None:
        self.limit = LIMIT
        self.protocol = BoundedProtocol(lambda: self.limit)
        self.protocol.state = OPEN
        self.protocol.parser = self.protocol.parse()
        next(self.protocol.parser)

    def send(self, *fragments: str) -> None:
        """Send a message in these fragments."""
        for place, fragment in enumerate(fragments):
            opcode = Opcode.CONT if place else Opcode.TEXT
            is_last = place == len(fragments) - 1
            frame = Frame(opcode, fragment.encode(), fin=is_last)
            self.protocol.receive_data(frame.serialize(mask=True))

    def messages(self) -> list[str]:
        """Return the messages that were kept."""
        messages = [""]
        for frame in self.protocol.events_received():
            messages[-1] += frame.data.decode()
            if frame.fin:
                messages.append("")
        return messages[:-1]


@pytest.fixture
def peer() -> Peer:
    return Peer()


def test_a_message_up_to_the_limit_is_kept_whole(peer: Peer) -> None:
    peer.send("x" * LIMIT)
    peer.send("x" * (LIMIT - 1), "y")
    assert peer.messages() == ["x" * LIMIT, "x" * (LIMIT - 1) + "y"]


def test_of_a_longer_message_only_the_sign_that_it_is_cut_is_kept(peer: Peer) -> None:
    peer.send("x" * (LIMIT + 1))
    peer.send("next")
    cut, after = peer.messages()
    assert is_cut(cut)
    assert len(cut) == 1
    assert (after, is_cut(after)) == ("next", False)


def test_a_longer_message_is_skipped_as_it_streams_in(peer: Peer) -> None:
    data = Frame(Opcode.TEXT, b"x" * 10 * LIMIT).serialize(mask=True)
    for place in range(0, len(data), 100):
        peer.protocol.receive_data(data[place : place + 100])
        assert len(peer.protocol.reader.buffer) <= 100
    (cut,) = peer.messages()
    assert is_cut(cut)


def test_fragments_count_together_and_so_does_their_number(peer: Peer) -> None:
    peer.send(*["x" * 100] * 11)
    peer.send(*[""] * 2_001)
    peer.send("a", "b")
    first, second, third = peer.messages()
    assert is_cut(first)
    assert is_cut(second)
    assert third == "ab"
    assert len(first) <= LIMIT + 1


def test_the_limit_may_rise_while_the_connection_is_open(peer: Peer) -> None:
    peer.limit = 2 * LIMIT
    peer.send("x" * 2 * LIMIT)
    assert peer.messages() == ["x" * 2 * LIMIT]


@pytest.mark.parametrize("message", ["", "{}", b"\0", b"x"])
def test_what_peers_send_is_not_taken_for_cut(message: str | bytes) -> None:
    assert not is_cut(message)


def test_a_socket_keeps_no_more_connections_than_it_may() -> None:
    listening = listen("127.0.0.1", 0, reuse_port=False, at_most=1)
    with listening, socket.socket() as first, socket.socket() as second:
        first.connect(listening.getsockname())
        kept, _ = listening.accept()
        second.connect(listening.getsockname())
        with pytest.raises(ConnectionAbortedError):
            listening.accept()
        assert second.recv(1) == b""
        kept.close()
        with socket.socket() as third:
            third.connect(listening.getsockname())
            listening.accept()[0].close()


def test_a_taken_port_is_an_error_and_a_shared_one_is_not() -> None:
    with listen("127.0.0.1", 0, reuse_port=True, at_most=1) as one:
        port = one.getsockname()[1]
        listen("127.0.0.1", port, reuse_port=True, at_most=1).close()
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", port, reuse_port=False, at_most=1)
