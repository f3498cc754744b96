"""Market structure: breaks of swing points, the trend that they make and the dealing range."""

from dataclasses import dataclass
from enum import StrEnum


class Trend(StrEnum):
    """Where structure points; `NONE` until the first break."""

    NONE = "none"
    UP = "up"
    DOWN = "down"


class BreakKind(StrEnum):
    """`BOS` goes on with the trend (or makes the first one), `CHOCH` turns it."""

    BOS = "BOS"
    CHOCH = "CHOCH"


@dataclass(frozen=True, slots=True)
class StructureBreak:
    """The candle `index` closed beyond `level`, the price of the swing at `swing_index`.

    `direction` is `UP` or `DOWN`.
    """

    index: int
    kind: BreakKind
    direction: Trend
    level: float
    swing_index: int
