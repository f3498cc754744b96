"""What a connector's token still allows once it is out. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenRights:
    """What matters of a token later on: whose it is, its API key's id, when it was made (Unix s).

    `key` is empty where an operator made it by command.
    """

    connector: str
    key: str
    issued_at: int


@dataclass(frozen=True, slots=True)
class Permit:
    """What a token still allows: `symbols`, or nothing for the reason in `refusal`."""

    refusal: str
    symbols: frozenset[str] = frozenset()
