"""What the name of a history file says: `SYMBOL_TIMEFRAME.csv[.gz]`, perhaps with more behind.

Needs no numpy, so that a start can look at names before anything is read.
"""

import re
from typing import NamedTuple

_NAME = re.compile(r"(?P<symbol>[A-Z0-9]+)_(?P<timeframe>M15|H1|H4)(?=[_.]).*\.csv(\.gz)?")


class HistoryName(NamedTuple):
    """The symbol and the timeframe of a file's candles, as its name has them."""

    symbol: str
    timeframe: str


def parse_history_name(name: str) -> HistoryName | None:
    """Read a file's name, without its folder; `None` where it is not that of a history."""
    found = _NAME.fullmatch(name)
    return None if found is None else HistoryName(found["symbol"], found["timeframe"])
