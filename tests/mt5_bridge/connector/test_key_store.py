import sys

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from mt5_bridge.connector.key_store import (
    KeyStoreError,
    account_owner,
    delete_secret,
    find_secret,
    place,
    store_secret,
)


def test_what_is_stored_is_found_by_its_owner_and_deleted_once(memory_keyring):
    store_secret("mt5-primary", "first")
    store_secret("mt5-primary", "second")
    assert find_secret("mt5-primary") == "second"
    assert find_secret("mt5-other") is None
    assert place() == "the keyring of the tests"
    assert delete_secret("mt5-primary")
    assert not delete_secret("mt5-primary")
    assert memory_keyring.held == {}


def test_an_account_s_password_belongs_to_its_number_and_server():
    assert account_owner(123, "Broker-Live") == "123@Broker-Live"
    assert account_owner(123, "") == "123"


def test_a_machine_without_a_keyring_is_told_what_else_there_is(monkeypatch):
    monkeypatch.setattr(keyring, "get_keyring", NoKeyring)
    with pytest.raises(KeyStoreError, match="no keyring that keeps secrets; give the key as MT5_"):
        find_secret("mt5-primary")


def test_a_keyring_that_keeps_plain_text_is_none(memory_keyring):
    memory_keyring.priority = 0.5
    with pytest.raises(KeyStoreError, match="no keyring that keeps secrets"):
        store_secret("mt5-primary", "s3cret")
    assert memory_keyring.held == {}


def test_a_locked_keyring_says_so(memory_keyring):
    memory_keyring.is_locked = True
    with pytest.raises(KeyStoreError, match="cannot be used: the collection is locked; give"):
        find_secret("mt5-primary")


def test_what_windows_raises_in_a_session_without_one_is_one_sentence(memory_keyring):
    class WindowsError(Exception):
        pass

    def refuse(*_):
        raise WindowsError(1312, "CredRead", "A specified logon session does not exist")

    memory_keyring.get_password = refuse
    with pytest.raises(KeyStoreError, match=r"cannot be used: .*logon session does not exist"):
        find_secret("mt5-primary")


def test_a_keyring_that_forgets_is_noticed_when_the_key_is_stored(memory_keyring):
    memory_keyring.set_password = lambda *_: None
    with pytest.raises(KeyStoreError, match="does not give back") as refused:
        store_secret("mt5-primary", "s3cret")
    assert "s3cret" not in str(refused.value)


def test_without_the_package_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(KeyStoreError, match="pip install"):
        find_secret("mt5-primary")
