"""Who is accepted, and in how many places."""

import ipaddress
import socket

import pytest

from signals_app.gateway.listening_socket import ListeningSocket, listen
from signals_app.gateway.places import PlaceLimits, Places


def opened(*, reuse_port: bool = False, port: int = 0, **options: object) -> ListeningSocket:
    places = Places(PlaceLimits(strangers=1, reserved=1, per_address=1), set())
    return listen("127.0.0.1", port, reuse_port=reuse_port, places=places, **options)


def test_a_newcomer_ends_who_waited_and_a_closed_socket_frees_its_place() -> None:
    with opened() as listening, socket.socket() as first, socket.socket() as second:
        first.connect(listening.getsockname())
        kept, _ = listening.accept()
        second.connect(listening.getsockname())
        newer, peer = listening.accept()
        assert first.recv(1) == b""
        assert listening.places.taken == 1
        assert listening.place_of(peer) is not None
        kept.close()
        newer.close()
        newer.close()
        assert listening.places.taken == 0
        assert listening.place_of(peer) is None


def test_a_few_are_accepted_before_others_get_their_turn() -> None:
    with opened() as listening:
        lines = [socket.create_connection(listening.getsockname()) for _ in range(3)]
        accepted = [listening.accept()[0], listening.accept()[0]]
        with pytest.raises(BlockingIOError):
            listening.accept()
        accepted.append(listening.accept()[0])
        for line in (*lines, *accepted):
            line.close()


def test_who_is_of_no_allowed_network_is_closed_unheard() -> None:
    networks = [ipaddress.ip_network("192.0.2.0/24")]
    with opened(networks=networks) as listening, socket.socket() as peer:
        peer.connect(listening.getsockname())
        with pytest.raises(ConnectionAbortedError):
            listening.accept()
        assert peer.recv(1) == b""
        assert listening.places.taken == 0


def test_a_taken_port_is_an_error_and_a_shared_one_is_not() -> None:
    with opened(reuse_port=True) as one:
        port = one.getsockname()[1]
        opened(port=port, reuse_port=True).close()
        with pytest.raises(OSError, match="in use"):
            opened(port=port)
