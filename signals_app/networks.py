"""Addresses of callers, and the networks that they count as, for gateway and web server alike."""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

#: A household or a rented server has a network of this length, and all the addresses in it.
_IPV6_PREFIX: Final = 64


def read_address(text: str) -> Address:
    """The address that a socket names; raises `ValueError` where it is none (a Unix socket)."""
    address: Address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        # A server that listens on IPv6 sees IPv4 callers so.
        return address.ipv4_mapped
    return address


def network_of(address: Address) -> Network:
    """What is counted as one caller: an IPv4 address, or an IPv6 network of 64 bits."""
    if isinstance(address, IPv6Address):
        return IPv6Network((int(address), _IPV6_PREFIX), strict=False)
    return IPv4Network(address)


def read_networks(entries: Iterable[str]) -> tuple[Network, ...]:
    """The networks that a setting names; raises `ValueError` for what is none."""
    return tuple(ip_network(entry.strip(), strict=False) for entry in entries)
