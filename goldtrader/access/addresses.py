"""The address that a request came from, and whether it may use the API."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, TypeAlias

from django.conf import settings
from django.core import checks
from django.http import HttpRequest
from python_ipware import IpWare

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_BITS_OF_A_CALLER = 64


class BadNetwork(ValueError):  # noqa: N818 - the setting is bad
    """A list of networks holds something that is neither an address nor a network."""


def client_address(request: HttpRequest) -> Address | None:
    """The caller's address; `None` where there is none (a Unix socket).

    Of X-Forwarded-For, only the last TRUSTED_PROXIES entries are trusted: each proxy appends the
    address that it saw, so what the caller sent itself is further left.
    """
    if settings.TRUSTED_PROXIES:
        forwarded = IpWare(
            precedence=("HTTP_X_FORWARDED_FOR",), proxy_count=settings.TRUSTED_PROXIES - 1
        )
        found: Address | None
        found, _ = forwarded.get_client_ip(request.META)
        if found is not None:
            return found
    return _address_of_text(request.META.get("REMOTE_ADDR", ""))


def caller_network(request: HttpRequest) -> Network | None:
    """What is counted as one caller: an IPv4 address, or an IPv6 network of 64 bits.

    One customer of an IPv6 provider has a whole such network, and changes addresses at will.
    """
    return network_of(client_address(request))


def network_of_text(text: str) -> Network | None:
    """The same of an address's text; `None` where it is none (a Unix socket)."""
    return network_of(_address_of_text(text))


def network_of(address: Address | None) -> Network | None:
    """The network of callers that an address belongs to."""
    if isinstance(address, IPv6Address):
        return IPv6Network((int(address), _BITS_OF_A_CALLER), strict=False)
    return None if address is None else IPv4Network(address)


def _address_of_text(text: str) -> Address | None:
    try:
        address: Address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        # A server that listens on IPv6 sees IPv4 callers so.
        return address.ipv4_mapped
    return address


def is_allowed(request: HttpRequest) -> bool:
    """Whether API_ALLOWED_IPS allows the caller; an empty list allows everybody."""
    entries = settings.API_ALLOWED_IPS
    return not entries or is_within(request, entries, setting="API_ALLOWED_IPS")


def is_within(request: HttpRequest, entries: Sequence[str], *, setting: str) -> bool:
    """Whether the caller's address is in one of the networks that ``setting`` names."""
    address = client_address(request)
    return address is not None and any(
        address in network for network in allowed_networks(tuple(entries), setting)
    )


@lru_cache(maxsize=8)
def allowed_networks(entries: Sequence[str], setting: str) -> tuple[Network, ...]:
    """The networks that the entries name; raises `BadNetwork`."""
    try:
        return tuple(ip_network(entry.strip(), strict=False) for entry in entries)
    except ValueError as error:
        raise BadNetwork(f"{setting}: {error}") from None


@checks.register
def check_allowed_networks(**_: Any) -> list[checks.CheckMessage]:
    """Refuse to start with an allow-list that cannot be read."""
    refused: list[checks.CheckMessage] = []
    for setting in ("API_ALLOWED_IPS", "ADMIN_ALLOWED_IPS", "METRICS_ALLOWED_IPS"):
        try:
            allowed_networks(tuple(getattr(settings, setting)), setting)
        except BadNetwork as bad:
            refused.append(checks.Error(str(bad), id="goldtrader.E001"))
    return refused
