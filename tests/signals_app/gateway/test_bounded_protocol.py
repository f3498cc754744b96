"""What a peer can make the gateway hold, at the level of bytes."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

from signals_app.gateway.allowance import FRAMES_A_TURN, ConnectorAllowance
from signals_app.gateway.bounded_protocol import BoundedProtocol, is_cut
from signals_app.gateway.limits import Limits

LIMIT = 1000


class Peer:
    """A client that has finished the handshake, and the server's protocol that hears it."""

    def __init__(self, *, is_let_in: bool = True) -> None:
        self.protocol = BoundedProtocol()
        if is_let_in:
            self.limit(LIMIT)
        self.protocol.state = OPEN
        self.protocol.parser = self.protocol.parse()
        next(self.protocol.parser)

    def limit(self, longest: int, **limits: float) -> None:
        """Let it send as much as a connector may, in messages of this length."""
        self.protocol.allow(ConnectorAllowance(0, Limits(**limits)))
        self.protocol.reader.longest = self.protocol._longest = longest

    def receive(self, *frames: Frame) -> None:
        """Let all of these come at once."""
        self.protocol.receive_data(b"".join(frame.serialize(mask=True) for frame in frames))

    def take_turns(self) -> int:
        """Go on until nothing is held back; return how many turns that took."""
        turns = 0
        while self.protocol.is_held:
            self.protocol.receive_data(b"")
            turns += 1
        return turns

    @property
    def refusal(self) -> tuple[int, str] | None:
        """With what the server closes."""
        close = self.protocol.close_sent
        return None if close is None else (close.code, close.reason)

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
    peer.limit(2 * LIMIT)
    peer.send("x" * 2 * LIMIT)
    assert peer.messages() == ["x" * 2 * LIMIT]


@pytest.mark.parametrize("message", ["", "{}", b"\0", b"x"])
def test_what_peers_send_is_not_taken_for_cut(message: str | bytes) -> None:
    assert not is_cut(message)


PING, EMPTY = Frame(Opcode.PING, b""), Frame(Opcode.CONT, b"", fin=False)


def test_what_comes_at_once_is_parsed_a_turn_at_a_time(peer: Peer) -> None:
    frames = [Frame(Opcode.TEXT, b"%d" % n) for n in range(2 * FRAMES_A_TURN + 1)]
    peer.receive(*frames)
    assert len(peer.messages()) == FRAMES_A_TURN
    assert peer.take_turns() == 2
    assert peer.messages() == [str(n) for n in range(FRAMES_A_TURN, 2 * FRAMES_A_TURN + 1)]


def test_what_is_held_back_at_the_end_of_the_line_is_dropped(peer: Peer) -> None:
    peer.receive(*[Frame(Opcode.TEXT, b"x")] * 2 * FRAMES_A_TURN)
    peer.protocol.receive_eof()
    assert len(peer.messages()) == FRAMES_A_TURN


@pytest.mark.parametrize(
    "frames",
    [
        [PING] * 51,
        [Frame(Opcode.PONG, b"x" * 125)] * 51,
        [Frame(Opcode.TEXT, b"", fin=False)] + [EMPTY] * 50,
        [Frame(Opcode.TEXT, b"x")] * 51,
    ],
    ids=["pings", "pongs", "empty fragments", "tiny frames"],
)
def test_a_stranger_may_send_fifty_frames_of_any_kind(frames: list[Frame]) -> None:
    stranger = Peer(is_let_in=False)
    stranger.receive(*frames[:50])
    assert stranger.refusal is None
    stranger.receive(frames[50])
    stranger.receive(frames[50])
    assert stranger.refusal == (4429, "RATE_LIMITED: too many frames")


def test_a_stranger_may_send_64_kib_in_all() -> None:
    stranger = Peer(is_let_in=False)
    stranger.receive(*[Frame(Opcode.TEXT, b"x" * 32_000)] * 2)
    assert stranger.refusal is None
    stranger.receive(Frame(Opcode.TEXT, b"x" * 2000))
    assert stranger.refusal == (4429, "RATE_LIMITED: too many bytes")
    assert len(stranger.messages()) == 2


@pytest.mark.parametrize("size", [33_000, 1 << 40])
def test_a_strangers_long_message_ends_the_connection_before_it_is_there(size: int) -> None:
    stranger = Peer(is_let_in=False)
    stranger.protocol.receive_data(b"\x81\xff" + size.to_bytes(8) + b"\0\0\0\0")
    assert stranger.refusal == (4429, "RATE_LIMITED: message too long")
    assert stranger.messages() == []


def test_a_strangers_long_message_in_fragments_ends_the_connection() -> None:
    stranger = Peer(is_let_in=False)
    stranger.receive(
        Frame(Opcode.TEXT, b"x" * 20_000, fin=False), Frame(Opcode.CONT, b"x" * 20_000)
    )
    assert stranger.refusal == (4429, "RATE_LIMITED: message too long")


def test_who_is_let_in_may_send_more(peer: Peer) -> None:
    for _ in range(100):
        peer.receive(Frame(Opcode.TEXT, b"x" * LIMIT))
    assert peer.refusal is None


def test_pings_of_connectors_are_limited_too(peer: Peer) -> None:
    peer.limit(LIMIT, messages_per_second=2)
    peer.receive(*[PING] * 20)
    assert peer.refusal is None
    peer.receive(PING)
    assert peer.refusal == (4429, "RATE_LIMITED: too many control frames")


def test_frames_of_connectors_are_limited_by_the_second(peer: Peer) -> None:
    peer.limit(LIMIT, frames_per_second=10)
    peer.receive(*[Frame(Opcode.TEXT, b"")] * 2 * FRAMES_A_TURN)
    peer.take_turns()
    assert peer.refusal == (4429, "RATE_LIMITED: too many frames")


def test_compressed_frames_are_no_frames(peer: Peer) -> None:
    peer.protocol.receive_data(b"\xc1\x81\0\0\0\0x")
    assert peer.refusal is not None
    assert peer.refusal[0] == 1002
