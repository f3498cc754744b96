"""What the API's keys still allow, asked of the app that keeps them, which is a layer above."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What a key may get tokens for. `symbols` is `None` where it may for every connector."""

    name: str
    symbols: frozenset[str] | None


class KeyReader(Protocol):
    """Reads, in one query, the keys of these ids that are neither revoked nor expired nor gone."""

    def __call__(self, key_ids: Collection[str]) -> Mapping[str, KeyRights]: ...


_registered: list[KeyReader] = []


def register(reader: KeyReader) -> None:
    """Make this the process's reader; called once, by `AppConfig.ready()`."""
    _registered[:] = [reader]


def usable(key_ids: Collection[str]) -> Mapping[str, KeyRights]:
    """Of these keys those that may still be used; without ids nothing is asked."""
    wanted = {key_id for key_id in key_ids if key_id}
    if not wanted:
        return {}
    (reader,) = _registered
    return reader(wanted)
