"""What the name of a candle file says: `SYMBOL_TIMEFRAME.csv[.gz]`, perhaps with more behind.

Needs no numpy, so that a start can look at names before anything is read.
"""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final, NamedTuple

#: What is analysed, and what candles may be of at all.
ANALYSED: Final = ("M15", "H1", "H4")
ALL_LENGTHS: Final = ("M1", "M5", "M15", "M30", "H1", "H4", "D1")
_NAME = re.compile(
    rf"(?P<symbol>[A-Z0-9]+)_(?P<timeframe>{'|'.join(ALL_LENGTHS)})(?=[_.]).*?"
    r"(?:_(?P<clock>UTC|SERVER-EU|SERVER-US))?\.csv(?:\.gz)?"
)


class CandleName(NamedTuple):
    """The symbol and the timeframe of a file's candles, and the clock that its name ends in.

    `clock` is as `--source-timezone` takes it, `None` where the name says none.
    """

    symbol: str
    timeframe: str
    clock: str | None = None


def parse_candle_name(name: str, timeframes: Collection[str] = ANALYSED) -> CandleName | None:
    """Read a file's name, without its folder; `None` for any other, or of another timeframe."""
    found = _NAME.fullmatch(name)
    if found is None or found["timeframe"] not in timeframes:
        return None
    return CandleName(found["symbol"], found["timeframe"], (found["clock"] or "").lower() or None)


def two_of_one(paths: Iterable[Path]) -> tuple[Path, Path] | None:
    """Find two files of one symbol and timeframe, of which it would be chance which one counts."""
    firsts: dict[tuple[str, str], Path] = {}
    for path in paths:
        named = parse_candle_name(path.name)
        if named is not None and firsts.setdefault(named[:2], path) != path:
            return firsts[named[:2]], path
    return None
