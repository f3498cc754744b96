"""Candle history: read from files, or built from shorter candles."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mt5_bridge.files.broker_time import BrokerClock, clock_named
from mt5_bridge.files.candle_names import parse_candle_name
from mt5_bridge.files.candle_reader import CandleColumns, CandleReader
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.layout import CANDLE_FORMS, PRICES, parse_header
from mt5_bridge.files.rebuild import Columns, best_source, rebuild
from mt5_bridge.files.rows import RowParser
from mt5_bridge.files.text_files import read_header
from mt5_bridge.files.tick_files import file_clock
from mt5_bridge.files.timeframes import LENGTHS, OffGridError, TimeframeCheck, name_of
from mt5_bridge.protocol.wire import CandleRow, History

TIMEFRAMES: Final = {timeframe: LENGTHS[timeframe] for timeframe in ("M15", "H1", "H4")}
"""The timeframes that are analysed, and their lengths in milliseconds."""
MAXIMUM_CANDLES: Final = 500
"""Candles of a timeframe that are sent; the analysis looks at the last 200."""


def read_history(
    path: str | Path, symbol: str, *, before_ms: int, source_timezone: str = "utc"
) -> list[History]:
    """The last candles that had closed by ``before_ms``, of each timeframe in ``path``.

    ``path`` is a directory with files `SYMBOL_TIMEFRAME.csv[.gz]`, or one such file. Times that do
    not say their zone are on the clock ``source_timezone``. Raises `MarketFileError`.
    """
    path = Path(path)
    clock = file_clock(path, source_timezone)
    read = read_files(dict(_files(path, symbol)), clock)
    return [
        _last_closed(symbol, timeframe, _rows(one.columns), before_ms)
        for timeframe, one in read.items()
    ]


@dataclass(frozen=True, slots=True, eq=False)
class HistoryCandles:
    """The candles of one timeframe; `built_from` names the shorter one that they are built from."""

    columns: Columns
    built_from: str | None = None


def read_files(files: Mapping[str, Path], clock: BrokerClock) -> dict[str, HistoryCandles]:
    """Read one market's files by timeframe; raises `MarketFileError`.

    A clock that a file's name ends in goes before ``clock``. Candles of H4 that a broker's clock
    made do not open where the product's do. They are built from the shorter ones that are there;
    `OffGridError` where there are none.
    """
    found: dict[str, HistoryCandles] = {}
    firsts: dict[int, int] = {}
    for timeframe, file in sorted(files.items(), key=lambda each: LENGTHS[each[0]]):
        length = LENGTHS[timeframe]
        try:
            columns = read_columns(file, _clock_of(file) or clock, length)
            firsts[length] = int(columns[0][0])
            found[timeframe] = HistoryCandles(columns)
        except OffGridError:
            source = best_source(firsts, length)
            if source is None:
                raise
            shorter = found[name_of(source)].columns
            found[timeframe] = HistoryCandles(rebuild(shorter, source, length), name_of(source))
    return {timeframe: found[timeframe] for timeframe in files}


def _clock_of(path: Path) -> BrokerClock | None:
    named = parse_candle_name(path.name)
    return clock_named(named.clock) if named is not None and named.clock else None


def build_history(symbol: str, candles: Sequence[CandleRow], before_ms: int) -> list[History]:
    """M15, H1 and H4 candles on UTC boundaries, built from M15 ``candles``.

    A broker's own H4 candles follow its server's midnight and would not fit the product's.
    """
    return [
        _last_closed(symbol, timeframe, _whole_ones(candles, length), before_ms)
        for timeframe, length in TIMEFRAMES.items()
    ]


def aggregate(candles: Iterable[CandleRow], length_ms: int) -> list[CandleRow]:
    """``candles`` (oldest first) joined to longer ones that open on multiples of it."""
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
    """The joined candles without a first one whose beginning is missing."""
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


def read_columns(path: Path, clock: BrokerClock, length_ms: int) -> Columns:
    """Read a file of candles of this length; raises `MarketFileError`."""
    layout = parse_header(path, read_header(path), CANDLE_FORMS)
    if not layout.is_candles:
        raise MarketFileError(f"{path} holds ticks, not candles; {CANDLE_FORMS}")
    check = TimeframeCheck(path, length_ms)
    blocks: list[CandleColumns] = []
    for block in CandleReader(RowParser(path, layout, clock)).candles():
        check.add(block.time_ms, block.lines.__getitem__)
        blocks.append(block)
    if not blocks:
        raise MarketFileError(f"{path} has a header but no candles; export it again")
    check.finish()
    open_, high, low, close, volume = (
        np.concatenate([getattr(block, name) for block in blocks]) for name in (*PRICES, "volume")
    )
    return np.concatenate([block.time_ms for block in blocks]), open_, high, low, close, volume


def _rows(columns: Columns) -> list[CandleRow]:
    plain = (column.tolist() for column in columns)
    return [CandleRow(*row) for row in zip(*plain, strict=True)]
