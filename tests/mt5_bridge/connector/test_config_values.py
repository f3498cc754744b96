from pathlib import Path

import pytest

from mt5_bridge.connector.config_file import ConfigError
from mt5_bridge.connector.config_values import (
    check_token_url,
    flag,
    integer,
    moment,
    number,
    path,
    poll_interval,
    server_url,
    speed,
)

JANUARY_5 = 1_767_571_200_000


def test_values_are_read_by_their_kind():
    given = {"a": "1.5", "b": "7", "c": "true", "d": "~", "from": "2026-01-05", "empty": ""}
    assert (number(given, "a"), integer(given, "b"), flag(given, "c")) == (1.5, 7, True)
    assert path(given, "d") == Path.home()
    assert moment(given, "from") == JANUARY_5
    assert moment({"from": "2026-01-05T02:00:00+02:00"}, "from") == JANUARY_5
    absent = number(given, "x"), integer(given, "x"), path(given, "empty"), moment(given, "x")
    assert absent == (None, None, None, None)
    assert (flag(given, "x"), speed(given, 60.0), poll_interval(given)) == (False, 60.0, 0.1)
    assert speed({"speed": "max"}, 60.0) is None


@pytest.mark.parametrize("url", ["wss://a.org/x", "ws://127.0.0.1:9/x", "ws://[::1]:9/x"])
def test_a_line_is_encrypted_or_stays_on_this_machine(url):
    assert server_url(url) == url
    with pytest.raises(ConfigError, match="is not encrypted"):
        server_url("ws://a.org/x")
    with pytest.raises(ConfigError, match="would show the API key"):
        check_token_url("http://a.org/x")


@pytest.mark.parametrize(
    "rest", ["[::1/x", "a.org:99999/x", "a.org:port/x", "a b/x", 'a"/x', "a\\b/x", "/x"]
)
def test_an_address_that_is_none_is_refused_in_a_sentence(rest):
    with pytest.raises(ConfigError, match="give the server with --url"):
        server_url(f"wss://{rest}")
    with pytest.raises(ConfigError, match="is no address; give --token-url"):
        check_token_url(f"https://{rest}")


def test_a_name_that_begins_as_an_address_of_this_machine_is_elsewhere():
    with pytest.raises(ConfigError, match="would show the API key"):
        check_token_url("http://127.0.0.1.example.org/x")
