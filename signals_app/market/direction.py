"""BUY and SELL."""

from enum import StrEnum


class Direction(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for BUY and -1 for SELL: the price move that earns."""
        return 1 if self is Direction.BUY else -1
