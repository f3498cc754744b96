import io
import sys

import pytest

from mt5_bridge.connector.config import read_setup
from mt5_bridge.connector.config_file import ConfigError
from mt5_bridge.connector.store_key import store_key

FILE = """\
source = "mt5"
name = "mt5-london"     # as the server knows it
symbol = "XAUUSD"
url = "wss://example.org:8765/ws/v1/ticks"
token_url = "https://example.org/t"
api_key = "s3cret.key"
certificate = \"\"\"
-----BEGIN CERTIFICATE-----
\"\"\"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mt5_bridge.toml").write_text(FILE)
    (tmp_path / "mt5_bridge.toml").chmod(0o600)
    return tmp_path


def type_in(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_the_key_moves_from_the_file_into_the_keyring(folder, memory_keyring):
    said = []
    assert store_key([], said.append) == 0
    assert memory_keyring.held == {("mt5_bridge", "mt5-london"): "s3cret.key"}
    text = (folder / "mt5_bridge.toml").read_text()
    assert text == FILE.replace('api_key = "s3cret.key"', 'key_from = "keyring"')
    assert (folder / "mt5_bridge.toml").stat().st_mode & 0o777 == 0o600
    assert "s3cret" not in "\n".join(said)
    (config,) = read_setup([], {}).streams
    assert (config.api_key, config.key_from) == ("s3cret.key", "keyring")
    assert "s3cret" not in repr(config)


def test_a_key_is_read_from_standard_input_and_not_shown(folder, memory_keyring, monkeypatch):
    (folder / "mt5_bridge.toml").unlink()
    type_in(monkeypatch, "typed.key\r\n")
    said = []
    assert store_key(["--name", "mt5-two"], said.append) == 0
    assert memory_keyring.held == {("mt5_bridge", "mt5-two"): "typed.key"}
    assert 'key_from = "keyring"' in said[-1]
    assert "typed.key" not in "\n".join(said)


def test_a_password_is_stored_for_the_account_and_used_with_its_login(
    folder, memory_keyring, monkeypatch
):
    store_key([], lambda _: None)
    type_in(monkeypatch, "pa55\n")
    store_key(["--login", "123", "--server", "Broker-Live"], lambda _: None)
    assert memory_keyring.held["mt5_bridge", "123@Broker-Live"] == "pa55"
    arguments = ["--login", "123", "--server", "Broker-Live"]
    assert read_setup(arguments, {}).streams[0].password == "pa55"
    assert read_setup(["--login", "124"], {}).streams[0].password == ""
    own = {"MT5_BRIDGE_PASSWORD": "own", "MT5_BRIDGE_API_KEY": "own"}
    (config,) = read_setup(arguments, own).streams
    assert (config.password, config.api_key) == ("own", "own")


def test_it_is_deleted_again(folder, memory_keyring):
    said = []
    store_key([], said.append)
    assert store_key(["--delete"], said.append) == 0
    assert memory_keyring.held == {}
    store_key(["--delete"], said.append)
    assert "was not in" in said[-1]
    with pytest.raises(ConfigError, match="the keyring holds no key of mt5-london: put it there"):
        read_setup([], {})


@pytest.mark.parametrize("key", ["", "x" * 501])
def test_what_is_no_key_is_refused(folder, memory_keyring, monkeypatch, key):
    (folder / "mt5_bridge.toml").unlink()
    type_in(monkeypatch, f"{key}\n")
    with pytest.raises(ConfigError, match="that is no key"):
        store_key([], lambda _: None)
    assert memory_keyring.held == {}


def test_a_line_that_cannot_be_changed_for_sure_is_left_to_the_user(folder, memory_keyring):
    strange = FILE.replace('api_key = "s3cret.key"', 'api_key = """s3cret\\\n.key"""')
    (folder / "mt5_bridge.toml").write_text(strange)
    said = []
    assert store_key([], said.append) == 0
    assert (folder / "mt5_bridge.toml").read_text() == strange
    assert "by hand" in said[-1]


def test_without_a_keyring_the_file_stays_as_it_is(folder, memory_keyring):
    memory_keyring.priority = 0
    with pytest.raises(ConfigError, match="no keyring that keeps secrets"):
        store_key([], lambda _: None)
    assert (folder / "mt5_bridge.toml").read_text() == FILE
