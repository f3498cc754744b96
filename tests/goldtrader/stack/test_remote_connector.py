from dataclasses import replace

import pytest

from goldtrader.stack.remote_connector import RemoteConnectorError, describe
from tests.goldtrader.stack.test_connector_zip import CONNECTOR


def test_without_a_key_the_file_says_where_it_is() -> None:
    assert 'key_from = "keyring"' in CONNECTOR.toml()
    keyed = replace(CONNECTOR, key="s3cret")
    assert 'api_key = "s3cret"' in keyed.toml()
    assert "key_from" not in keyed.toml()
    assert "s3cret" not in repr(keyed)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a" * 65])
def test_what_is_no_name_is_refused_before_anything_is_looked_at(name: str) -> None:
    with pytest.raises(RemoteConnectorError, match="is no name: use up to 64 letters"):
        describe(name, "XAUUSD")


@pytest.mark.parametrize("symbols", ["", ",", "XAU USD", 'X"\n'])
def test_what_are_no_symbols_is_refused(symbols: str) -> None:
    with pytest.raises(RemoteConnectorError, match="are no symbols"):
        describe("mt5", symbols)
