"""The address that a request came from, and whether it may use the API."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core import checks
from django.http import HttpRequest
from python_ipware import IpWare

from signals_app import networks
from signals_app.networks import Address, Network


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
    return _network_of(client_address(request))


def network_of_text(text: str) -> Network | None:
    """The same of an address's text; `None` where it is none (a Unix socket)."""
    return _network_of(_address_of_text(text))


def _network_of(address: Address | None) -> Network | None:
    return None if address is None else networks.network_of(address)


def _address_of_text(text: str) -> Address | None:
    try:
        return networks.read_address(text)
    except ValueError:
        return None


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
        return networks.read_networks(entries)
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
