"""Who may keep a connection open before it has shown a token: so many places, shared fairly. Pure.

A newcomer is never refused for want of a place. It takes that of the stranger who got on longest
ago, of the address that holds most; so silent peers, however many, make room for one that gets on
with it. Addresses from which a connector was let in before have places of their
own, which strangers from elsewhere cannot take.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from signals_app.networks import Address, Network, network_of, read_address


class Stage(IntEnum):
    """How far a stranger has come."""

    ACCEPTED = 0
    ENCRYPTED = 1
    ASKED = 2
    """It has sent a whole request."""
    VERIFIED = 3
    """Its token is good; whether it is let in is being looked up."""


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """How many strangers may be connected at once: from addresses that are new, from those that are
    known, and from any one address (of IPv6 any /64).
    """

    strangers: int = 48
    reserved: int = 32
    per_address: int = 24


@dataclass(slots=True, eq=False)
class ConnectionPlace:
    """One connection's place. `close` ends the connection."""

    address: str
    close: Callable[[], None]
    is_known: bool
    stage: Stage = Stage.ACCEPTED


@dataclass(slots=True)
class Places:
    """The places of all connections. `known` are the addresses that have been let in before."""

    limits: PlaceLimits
    known: Container[str]
    # Who got on longest ago comes first.
    _strangers: list[ConnectionPlace] = field(default_factory=list)

    def take(self, address: str, close: Callable[[], None]) -> ConnectionPlace:
        """Give the newcomer a place; another stranger may lose its own for that."""
        place = ConnectionPlace(address, close, address in self.known)
        pool = [other for other in self._strangers if other.is_known is place.is_known]
        same = [other for other in pool if other.address == address]
        if len(same) >= self.limits.per_address:
            self._evict(same)
        elif len(pool) >= (self.limits.reserved if place.is_known else self.limits.strangers):
            self._evict(pool)
        self._strangers.append(place)
        return place

    def advance(self, place: ConnectionPlace, stage: Stage) -> None:
        """The stranger got on."""
        if stage > place.stage and place in self._strangers:
            place.stage = stage
            self._strangers.remove(place)
            self._strangers.append(place)

    def free(self, place: ConnectionPlace) -> None:
        """The connection has ended, or its connector is let in and is no stranger any more."""
        if place in self._strangers:
            self._strangers.remove(place)

    @property
    def taken(self) -> int:
        """How many strangers there are."""
        return len(self._strangers)

    def _evict(self, pool: Sequence[ConnectionPlace]) -> None:
        held = Counter(place.address for place in pool)
        # The first of those that are equal.
        victim = max(pool, key=lambda place: held[place.address])
        self._strangers.remove(victim)
        victim.close()


def address_of(host: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 address."""
    network = network_of(_parse(host))
    return str(network.network_address) if network.version == 4 else str(network)


def is_allowed(host: str, networks: Iterable[Network]) -> bool:
    """Whether an address is in one of the networks; without any, every address is."""
    networks = tuple(networks)
    if not networks:
        return True
    found = _parse(host)
    return any(found in network for network in networks)


def _parse(host: str) -> Address:
    return read_address(host.partition("%")[0])
