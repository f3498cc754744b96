"""What counts as one caller, for the gateway and for the web server."""

from ipaddress import ip_address, ip_network

import pytest

from signals_app.networks import network_of, read_address, read_networks


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("2001:db8:0:1:ffff::9", "2001:db8:0:1::/64"),
    ],
)
def test_an_ipv4_address_and_an_ipv6_network_of_64_bits_are_one_caller(
    text: str, network: str
) -> None:
    assert network_of(read_address(text)) == ip_network(network)


@pytest.mark.parametrize("text", ["", "office", "/run/web.sock"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        read_address(text)


def test_networks_may_be_addresses_with_blanks_around_them() -> None:
    office, home = read_networks(["10.1.2.3/8", " ::1 "])

    assert ip_address("10.9.9.9") in office
    assert ip_address("::1") in home
    with pytest.raises(ValueError, match="does not appear to be"):
        read_networks(["office"])
