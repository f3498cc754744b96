"""Candle files of the pair that a cross is paid by."""

import re
from pathlib import Path

from signals_app.importers.candle_files import MarketFileError, read_candle_file
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.conversion import DailyRates, RatePair

_NAME = re.compile(
    rf"(?P<symbol>[A-Z0-9]+)_(?P<timeframe>{'|'.join(Timeframe)})(?=[_.]).*\.csv(\.gz)?"
)


def rate_files(place: Path, pair: RatePair) -> dict[Timeframe, Path]:
    """The files of the pair's candles in a directory, or that of this name, by timeframe.

    They are called `SYMBOL_TIMEFRAME.csv[.gz]`, perhaps with more behind; of several of one
    timeframe the first counts. Raises `MarketFileError` where there is none.
    """
    found: dict[Timeframe, Path] = {}
    for path in sorted(place.iterdir()) if place.is_dir() else [place]:
        named = _NAME.fullmatch(path.name)
        if named is not None and named["symbol"] == pair.symbol and path.exists():
            found.setdefault(Timeframe(named["timeframe"]), path)
    if not found:
        raise MarketFileError(f"{place} holds no candles named like {pair.symbol}_H1.csv.gz.")
    return found


def read_rates(files: dict[Timeframe, Path], source_timezone: str) -> DailyRates:
    """The rates of `rate_files`; raises `MarketFileError` for one that cannot be read."""
    candles: dict[Timeframe, Candles] = {}
    for timeframe, path in files.items():
        file = read_candle_file(path, source_timezone)
        file.check(timeframe)
        candles[timeframe] = file.candles
    return DailyRates.of(candles)
