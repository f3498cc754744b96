"""Candle files of the pair that a cross is paid by."""

from pathlib import Path

from mt5_bridge.files.candle_names import ALL_LENGTHS, parse_candle_name
from signals_app.importers.candle_files import MarketFileError, read_candle_file
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.conversion import DailyRates, RatePair


def rate_files(place: Path, pair: RatePair) -> dict[Timeframe, Path]:
    """The files of the pair's candles in a directory, or that of this name, by timeframe.

    They are called `SYMBOL_TIMEFRAME.csv[.gz]`, perhaps with more behind and a clock at
    the end; of several of one timeframe the first counts. Raises `MarketFileError` for none.
    """
    found: dict[Timeframe, Path] = {}
    for path in sorted(place.iterdir()) if place.is_dir() else [place]:
        named = parse_candle_name(path.name, ALL_LENGTHS)
        if named is not None and named.symbol == pair.symbol and path.exists():
            found.setdefault(Timeframe(named.timeframe), path)
    if not found:
        raise MarketFileError(f"{place} holds no candles named like {pair.symbol}_H1.csv.gz.")
    return found


def read_rates(files: dict[Timeframe, Path], source_timezone: str) -> DailyRates:
    """The rates of `rate_files`; raises `MarketFileError` for one that cannot be read."""
    candles: dict[Timeframe, Candles] = {}
    for timeframe, path in files.items():
        named = parse_candle_name(path.name, ALL_LENGTHS)
        file = read_candle_file(path, (named and named.clock) or source_timezone)
        file.check(timeframe)
        candles[timeframe] = file.candles
    return DailyRates.of(candles)
