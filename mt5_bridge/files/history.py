"""Candle history: read from files, or built from shorter candles."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from mt5_bridge.files.broker_time import BrokerClock
from mt5_bridge.files.candle_reader import CandleReader
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.layout import CANDLE_FORMS, parse_header
from mt5_bridge.files.rows import RowParser
from mt5_bridge.files.text_files import read_header
from mt5_bridge.files.tick_files import file_clock
from mt5_bridge.protocol.wire import CandleRow, History

TIMEFRAMES: Final = {"M15": 900_000, "H1": 3_600_000, "H4": 14_400_000}
"""The timeframes that are analysed, and their lengths in milliseconds."""
MAXIMUM_CANDLES: Final = 500
"""Candles of a timeframe that are sent; the analysis looks at the last 200."""


def read_history(
    path: str | Path, symbol: str, *, before_ms: int, source_timezone: str = "utc"
) -> list[History]:
    """Return the last candles that had closed by ``before_ms``, of each timeframe in ``path``.

    ``path`` is a directory with files `SYMBOL_TIMEFRAME.csv[.gz]`, or one such file. Times that do
    not say their zone are on the clock ``source_timezone``. Raises `MarketFileError`.
    """
    path = Path(path)
    clock = file_clock(path, source_timezone)
    return [
        _last_closed(symbol, timeframe, _candles(file, clock), before_ms)
        for timeframe, file in _files(path, symbol)
    ]


def build_history(symbol: str, candles: Sequence[CandleRow], before_ms: int) -> list[History]:
    """Return M15, H1 and H4 candles on UTC boundaries, built from M15 ``candles``.

    A broker's own H4 candles follow its server's midnight and would not fit the product's.
    """
    return [
        _last_closed(symbol, timeframe, _whole_ones(candles, length), before_ms)
        for timeframe, length in TIMEFRAMES.items()
    ]


def aggregate(candles: Iterable[CandleRow], length_ms: int) -> list[CandleRow]:
    """Return ``candles`` (oldest first) joined to longer ones that open on multiples of it."""
    joined: list[CandleRow] = []
    for candle in candles:
        open_ms = candle.time_ms - candle.time_ms % length_ms
        if joined and joined[-1].time_ms == open_ms:
            before = joined[-1]
            joined[-1] = CandleRow(
                open_ms,
                before.open,
                max(before.high, candle.high),
                min(before.low, candle.low),
                candle.close,
                before.volume + candle.volume,
            )
        else:
            joined.append(
                CandleRow(
                    open_ms, candle.open, candle.high, candle.low, candle.close, candle.volume
                )
            )
    return joined


def _whole_ones(candles: Sequence[CandleRow], length_ms: int) -> list[CandleRow]:
    """Return the joined candles without a first one whose beginning is missing."""
    joined = aggregate(candles, length_ms)
    is_cut = bool(candles) and candles[0].time_ms % length_ms > 0
    return joined[1:] if is_cut else joined


def _last_closed(
    symbol: str, timeframe: str, candles: Iterable[CandleRow], before_ms: int
) -> History:
    length = TIMEFRAMES[timeframe]
    closed = [candle for candle in candles if candle.time_ms + length <= before_ms]
    return History(symbol=symbol, timeframe=timeframe, rows=closed[-MAXIMUM_CANDLES:])


def _files(path: Path, symbol: str) -> list[tuple[str, Path]]:
    if not path.is_dir():
        return [(_timeframe_of(path), path)]
    found = [
        (timeframe, file)
        for timeframe in TIMEFRAMES
        for ending in (".csv", ".csv.gz")
        if (file := path / f"{symbol}_{timeframe}{ending}").is_file()
    ]
    if not found:
        raise MarketFileError(
            f"{path} holds no history of {symbol}; name the files like {symbol}_M15.csv.gz"
        )
    return found


def _timeframe_of(path: Path) -> str:
    for part in re.split(r"[_.\- ]", path.name):
        if part in TIMEFRAMES:
            return part
    known = ", ".join(TIMEFRAMES)
    raise MarketFileError(
        f"{path} does not say its timeframe; name it like XAUUSD_M15.csv ({known})"
    )


def _candles(path: Path, clock: BrokerClock) -> list[CandleRow]:
    """Return the file's candles, oldest first."""
    layout = parse_header(path, read_header(path), CANDLE_FORMS)
    if not layout.is_candles:
        raise MarketFileError(f"{path} holds ticks, not candles; {CANDLE_FORMS}")
    rows: list[CandleRow] = []
    for block in CandleReader(RowParser(path, layout, clock)).candles():
        columns = (block.time_ms, block.open, block.high, block.low, block.close, block.volume)
        plain = (column.tolist() for column in columns)
        rows += [CandleRow(*row) for row in zip(*plain, strict=True)]
    return rows
