"""How work on market data that takes minutes says how far it is."""

from collections.abc import Callable
from typing import TypeAlias

OnProgress: TypeAlias = Callable[[int, int, str], None]
"""Called now and then with how much is done, of how much, and what comes or is counted."""


def no_progress(_done: int, _total: int, _what: str) -> None:
    """Show nothing."""
