"""How places are shared among strangers."""

import ipaddress

import pytest

from signals_app.gateway.places import (
    ConnectionPlace,
    PlaceLimits,
    Places,
    Stage,
    address_of,
    is_allowed,
)

LIMITS = PlaceLimits(strangers=4, reserved=2, per_address=3)


class Hall:
    """Places, and who lost theirs."""

    def __init__(self, *known: str) -> None:
        self.places = Places(LIMITS, set(known))
        self.ended: list[str] = []

    def enter(self, address: str, name: str) -> ConnectionPlace:
        return self.places.take(address, lambda: self.ended.append(name))


def test_a_newcomer_takes_the_place_of_who_has_waited_longest() -> None:
    hall = Hall()
    for n in range(6):
        hall.enter(f"192.0.2.{n}", f"peer {n}")
    assert hall.ended == ["peer 0", "peer 1"]
    assert hall.places.taken == 4


def test_who_gets_on_keeps_its_place_before_who_is_silent() -> None:
    hall = Hall()
    entered = [hall.enter(f"192.0.2.{n}", f"peer {n}") for n in range(4)]
    hall.places.advance(entered[0], Stage.ENCRYPTED)
    hall.enter("192.0.2.9", "newcomer")
    hall.places.advance(entered[2], Stage.ACCEPTED)
    hall.enter("192.0.2.9", "newcomer")
    assert hall.ended == ["peer 1", "peer 2"]


def test_one_address_has_few_places_and_loses_the_first() -> None:
    hall = Hall()
    hall.enter("192.0.2.1", "other")
    for n in range(4):
        hall.enter("192.0.2.9", f"crowd {n}")
    assert hall.ended == ["crowd 0"]
    hall.enter("192.0.2.2", "third")
    assert hall.ended == ["crowd 0", "crowd 1"]


def test_strangers_from_elsewhere_take_no_reserved_place() -> None:
    hall = Hall("198.51.100.1")
    hall.enter("198.51.100.1", "connector")
    for n in range(20):
        hall.enter(f"192.0.2.{n}", f"peer {n}")
    assert "connector" not in hall.ended
    hall.enter("198.51.100.1", "connector again")
    hall.enter("198.51.100.1", "a third time")
    assert hall.ended[-1] == "connector"


def test_who_is_let_in_or_gone_frees_its_place() -> None:
    hall = Hall()
    places = [hall.enter(f"192.0.2.{n}", f"peer {n}") for n in range(4)]
    hall.places.free(places[0])
    hall.places.free(places[0])
    hall.enter("192.0.2.9", "newcomer")
    assert (hall.ended, hall.places.taken) == ([], 4)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
    ],
)
def test_an_address_is_one_of_ipv4_or_a_64_of_ipv6(host: str, address: str) -> None:
    assert address_of(host) == address


@pytest.mark.parametrize(
    ("host", "is_in"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.7", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
    ],
)
def test_networks_of_either_kind_are_allowed(host: str, is_in: bool) -> None:
    networks = [ipaddress.ip_network(text) for text in ("192.0.2.0/24", "2001:db8::/32")]
    assert is_allowed(host, networks) is is_in
    assert is_allowed(host, [])
