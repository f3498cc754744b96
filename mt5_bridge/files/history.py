"""Candle history: read from files, or built from shorter candles."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from mt5_bridge.files.broker_time import BrokerClock, UnknownTimezoneError, clock_named
from mt5_bridge.files.text_files import TickFileError, blocks, read_time
from mt5_bridge.protocol.wire import CandleRow, History

TIMEFRAMES: Final = {"M15": 900_000, "H1": 3_600_000, "H4": 14_400_000}
"""The timeframes that are analysed, and their lengths in milliseconds."""
MAXIMUM_CANDLES: Final = 500
"""Candles of a timeframe that are sent; the analysis looks at the last 200."""

_HEADER = ("open", "high", "low", "close")


def read_history(
    path: str | Path, symbol: str, *, before_ms: int, source_timezone: str = "utc"
) -> list[History]:
    """Return the last candles that had closed by ``before_ms``, of each timeframe in ``path``.

    ``path`` is a directory with files `SYMBOL_TIMEFRAME.csv[.gz]`, or one such file. Times that do
    not say their zone are on the clock ``source_timezone``. Raises `TickFileError`.
    """
    path = Path(path)
    try:
        clock = clock_named(source_timezone)
    except UnknownTimezoneError as error:
        raise TickFileError(f"{path}: {error}") from None
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
        raise TickFileError(
            f"{path} holds no history of {symbol}; name the files like {symbol}_M15.csv.gz"
        )
    return found


def _timeframe_of(path: Path) -> str:
    for part in re.split(r"[_.\- ]", path.name):
        if part in TIMEFRAMES:
            return part
    known = ", ".join(TIMEFRAMES)
    raise TickFileError(f"{path} does not say its timeframe; name it like XAUUSD_M15.csv ({known})")


def _candles(path: Path, clock: BrokerClock) -> list[CandleRow]:
    """Return the file's candles, oldest first."""
    lines = _lines(path)
    _, header = next(lines, (1, ""))
    delimiter = next((mark for mark in "\t;" if mark in header), ",")
    names = [name.strip().strip('<>"').lower() for name in header.split(delimiter)]
    if not set(_HEADER) <= set(names) or not {"timestamp", "time", "date"} & set(names):
        raise TickFileError(
            f"{path}, line 1 is {header[:60]!r}; the header must be "
            "timestamp,open,high,low,close[,volume]"
        )
    times_at = [names.index(name) for name in ("timestamp", "date", "time") if name in names]
    values_at = [names.index(name) for name in _HEADER]
    volume_at = next((names.index(name) for name in ("volume", "tickvol") if name in names), None)
    rows: list[CandleRow] = []
    zoned: list[bool] = []
    for number, line in lines:
        cells = line.split(delimiter)
        try:
            time_ms, has_zone = read_time(" ".join(cells[place].strip() for place in times_at))
            prices = [float(cells[place]) for place in values_at]
            volume = float(cells[volume_at] or 0) if volume_at is not None else 0.0
        except (ValueError, IndexError):
            raise TickFileError(
                f"{path}, line {number} is no candle: {line[:60]!r}; correct or remove that line"
            ) from None
        high, low = prices[1], prices[2]
        if not 0 < low <= min(prices[0], prices[3]) <= max(prices[0], prices[3]) <= high < np.inf:
            raise TickFileError(
                f"{path}, line {number}: the open and the close are not between low and high; "
                "correct or remove that line"
            )
        rows.append(CandleRow(time_ms, prices[0], high, low, prices[3], volume))
        zoned.append(has_zone)
    return _in_utc(path, rows, zoned, clock)


def _in_utc(
    path: Path, rows: list[CandleRow], zoned: list[bool], clock: BrokerClock
) -> list[CandleRow]:
    walls = np.array([row.time_ms for row in rows], dtype=np.int64)
    times = np.where(np.array(zoned, dtype=np.bool_), walls, clock.to_utc(walls))
    backwards = np.flatnonzero(np.diff(times) <= 0)
    if len(backwards):
        raise TickFileError(
            f"{path}: candle {int(backwards[0]) + 2} is not later than the one before it; "
            "sort the file by time"
        )
    return [
        CandleRow(time_ms, row.open, row.high, row.low, row.close, row.volume)
        for time_ms, row in zip(times.tolist(), rows, strict=True)
    ]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for first, block in blocks(path):
        text = block.decode("utf-8-sig" if first == 1 else "utf-8", errors="replace")
        for number, line in enumerate(text.split("\n"), first):
            if stripped := line.strip("\r "):
                yield number, stripped
