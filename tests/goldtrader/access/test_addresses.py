"""The allow-list, behind proxies and without them."""

from ipaddress import ip_address, ip_network

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from goldtrader.access.addresses import (
    BadNetwork,
    allowed_networks,
    caller_network,
    check_allowed_networks,
    client_address,
)
from tests.callers import API, caller, error

pytestmark = pytest.mark.django_db


def test_only_allowed_addresses_get_in(settings: Settings) -> None:
    settings.API_ALLOWED_IPS = ["10.0.0.0/8", "::1"]
    client = caller()

    assert client.get(f"{API}/signals", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert client.get(f"{API}/signals", REMOTE_ADDR="::ffff:10.1.2.3").status_code == 200
    assert client.get(f"{API}/signals", REMOTE_ADDR="::1").status_code == 200
    refused = client.get(f"{API}/signals", REMOTE_ADDR="11.1.2.3")
    assert refused.status_code == 403
    assert refused.json() == error(
        "permission_denied", "Your address is not allowed to use this API."
    )
    assert client.get(f"{API}/schema", REMOTE_ADDR="11.1.2.3").status_code == 403
    assert client.get(f"{API}/docs", REMOTE_ADDR="11.1.2.3").status_code == 403
    assert client.get(f"{API}/signals", REMOTE_ADDR="").status_code == 403


def test_a_forged_forwarded_address_is_not_believed(settings: Settings) -> None:
    settings.API_ALLOWED_IPS = ["10.0.0.0/8"]
    client = caller()
    forged = {"REMOTE_ADDR": "172.16.0.1", "HTTP_X_FORWARDED_FOR": "10.1.2.3, 9.9.9.9"}

    assert client.get(f"{API}/signals", **forged).status_code == 403
    settings.TRUSTED_PROXIES = 1
    assert client.get(f"{API}/signals", **forged).status_code == 403
    settings.API_ALLOWED_IPS = ["9.9.9.9"]
    assert client.get(f"{API}/signals", **forged).status_code == 200
    settings.TRUSTED_PROXIES = 2
    assert client.get(f"{API}/signals", **forged).status_code == 403


def test_an_allow_list_that_cannot_be_read_is_a_failed_check(settings: Settings) -> None:
    settings.API_ALLOWED_IPS = ["10.0.0.0/8", "the office"]

    (found,) = check_allowed_networks()

    assert found.msg == (
        "API_ALLOWED_IPS: 'the office' does not appear to be an IPv4 or IPv6 network"
    )


def test_an_entry_is_an_address_or_a_network_with_or_without_spaces() -> None:
    assert allowed_networks(("10.1.2.3/8", " ::1 "), "API_ALLOWED_IPS") == (
        ip_network("10.0.0.0/8"),
        ip_network("::1"),
    )
    with pytest.raises(BadNetwork, match="API_ALLOWED_IPS: 'office'"):
        allowed_networks(("office",), "API_ALLOWED_IPS")


@pytest.mark.parametrize(
    ("remote", "address"), [("::ffff:10.1.2.3", "10.1.2.3"), ("fe80::1", "fe80::1"), ("", None)]
)
def test_the_address_is_the_connection_s_own(remote: str, address: str | None) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR="9.9.9.9")

    assert client_address(request) == (None if address is None else ip_address(address))


@pytest.mark.parametrize(
    ("remote", "network"),
    [
        ("10.1.2.3", "10.1.2.3/32"),
        ("::ffff:10.1.2.3", "10.1.2.3/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("", None),
    ],
)
def test_a_caller_is_an_ipv4_address_or_an_ipv6_network(remote: str, network: str | None) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=remote)

    assert caller_network(request) == (None if network is None else ip_network(network))
