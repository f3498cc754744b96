"""The socket that connectors come in by: from allowed networks only, a few at a time, each in a
place of its own.
"""

import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias

from signals_app.gateway.places import ConnectionPlace, Places, address_of, is_allowed
from signals_app.networks import Network

#: The host, the port, and what IPv6 says beside them.
PeerName: TypeAlias = tuple[Any, ...]

# So many newcomers before the connections that stand get their turn.
_ACCEPTED_A_TURN: Final = 2


def listen(
    host: str, port: int, *, reuse_port: bool, places: Places, networks: Sequence[Network] = ()
) -> "ListeningSocket":
    """A socket that listens; raises `OSError`.

    Accepted sockets have their places from the first moment: a peer that never begins with TLS
    holds memory too. One that is not of the networks is closed at once, unheard.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # Of a name's addresses the older kind, which every peer can reach.
    family, kind, number, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    listening = ListeningSocket(family, kind, number)
    try:
        listening.places, listening.networks = places, networks
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(address)
        listening.listen(100)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


class ListeningSocket(socket.socket):
    """Gives each accepted socket a place."""

    places: Places
    networks: Sequence[Network]
    _this_turn = 0
    _by_peer: dict[PeerName, ConnectionPlace]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._by_peer = {}

    def place_of(self, peer: PeerName) -> ConnectionPlace | None:
        """The place of the connection from there."""
        return self._by_peer.get(peer)

    def accept(self) -> tuple[socket.socket, PeerName]:
        """Accept a socket; raises `BlockingIOError` where it is the turn of others."""
        if self._this_turn >= _ACCEPTED_A_TURN:
            self._this_turn = 0
            raise BlockingIOError
        try:
            plain, peer = super().accept()
        except BlockingIOError:
            self._this_turn = 0
            raise
        self._this_turn += 1
        if not is_allowed(peer[0], self.networks):
            plain.close()
            self._this_turn = 0
            raise ConnectionAbortedError("not of an allowed network")
        accepted = _AcceptedSocket(plain.family, plain.type, plain.proto, plain.detach())
        accepted.listening, accepted.peer = self, peer
        self._by_peer[peer] = self.places.take(address_of(peer[0]), accepted.end)
        return accepted, peer

    def forget(self, peer: PeerName) -> None:
        """The connection from there is closed."""
        place = self._by_peer.pop(peer, None)
        if place is not None:
            self.places.free(place)


class _AcceptedSocket(socket.socket):
    """Frees its place when it is closed."""

    listening: ListeningSocket | None = None
    peer: PeerName = ()

    def end(self) -> None:
        """Make the line end, so that whoever serves it closes it."""
        with suppress(OSError):  # the peer was faster
            self.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        if self.listening is not None:
            self.listening.forget(self.peer)
            self.listening = None
