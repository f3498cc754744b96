"""What the API's keys still allow, asked of whoever keeps them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from signals_app.services import api_keys
from signals_app.services.api_keys import KeyReader, KeyRights


@contextmanager
def registered(reader: KeyReader) -> Iterator[None]:
    """Put this reader in the process's place for a while."""
    before = api_keys._registered[:]
    api_keys.register(reader)
    try:
        yield
    finally:
        api_keys._registered[:] = before


def test_the_registered_reader_is_asked_once_for_every_id() -> None:
    asked = []
    mine = KeyRights("mt5", frozenset({"XAUUSD"}))

    def read(key_ids: object) -> dict[str, KeyRights]:
        asked.append(key_ids)
        return {"a": mine}

    with registered(read):
        assert api_keys.usable(["a", "b", "a", ""]) == {"a": mine}

    assert asked == [{"a", "b"}]


def test_nothing_is_asked_without_ids() -> None:
    with registered(lambda key_ids: pytest.fail("asked")):
        assert api_keys.usable(["", ""]) == {}
