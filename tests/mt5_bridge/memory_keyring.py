"""A keyring in memory, as the operating system's would be."""

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """`held` are the secrets by service and owner; a locked one refuses everything."""

    priority = 5
    name = "the keyring of the tests"

    def __init__(self):
        super().__init__()
        self.held = {}
        self.is_locked = False

    def get_password(self, service, username):
        self._check()
        return self.held.get((service, username))

    def set_password(self, service, username, password):
        self._check()
        self.held[service, username] = password

    def delete_password(self, service, username):
        if self.held.pop((service, username), None) is None:
            raise PasswordDeleteError("not found")

    def _check(self):
        if self.is_locked:
            raise KeyringLocked("the collection is locked")


@pytest.fixture
def memory_keyring():
    """The keyring that the connector finds for the length of a test."""
    before, ours = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)
