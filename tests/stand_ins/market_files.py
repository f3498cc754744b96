"""Files of a made-up market: a week of ticks, and the history before it."""

import csv
from dataclasses import dataclass
from pathlib import Path

from mt5_bridge.sources.simulated.market import trading_week
from signals_app.market.aggregation import Forming, aggregate
from signals_app.market.calendar import iso
from signals_app.market.candle import TIMEFRAMES, Candle, Candles, Timeframe
from signals_app.market.tick import Ticks

#: A week on which the default settings find several signals.
_SEED, _WEEK, _WEEKS_OF_HISTORY = 1, 502, 9
_EVERY = 3


@dataclass(frozen=True)
class MarketFiles:
    """The week's ticks and the candles before it, as files and as values."""

    ticks_file: Path
    history_directory: Path
    ticks: Ticks
    history: dict[Timeframe, Candles]


def write_market_files(directory: Path, symbol: str = "XAUUSD") -> MarketFiles:
    """Write `XAUUSD_ticks.csv` and `history/` into a directory."""
    ticks = _ticks(symbol, _WEEK)
    ticks_file = directory / f"{symbol}_ticks.csv"
    with ticks_file.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("timestamp_ms", "bid", "ask"))
        writer.writerows((tick.time_ms, tick.bid, tick.ask) for tick in ticks)
    history = _history(symbol)
    history_directory = directory / "history"
    history_directory.mkdir()
    for timeframe, candles in history.items():
        path = history_directory / f"{symbol}_{timeframe}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("timestamp", "open", "high", "low", "close", "volume"))
            for candle in candles:
                prices = (candle.open, candle.high, candle.low, candle.close)
                writer.writerow((iso(candle.time_ms), *prices, int(candle.volume)))
    return MarketFiles(ticks_file, history_directory, ticks, history)


def _ticks(symbol: str, week: int) -> Ticks:
    quotes = trading_week(_SEED, symbol, week).quotes
    return Ticks(1, quotes.time_ms[::_EVERY], quotes.bid[::_EVERY], quotes.ask[::_EVERY])


def _history(symbol: str) -> dict[Timeframe, Candles]:
    candles: dict[Timeframe, list[Candle]] = {timeframe: [] for timeframe in TIMEFRAMES}
    forming: Forming = {}
    for week in range(_WEEK - _WEEKS_OF_HISTORY, _WEEK):
        forming, closed = aggregate(forming, _ticks(symbol, week))
        for found in closed:
            candles[found.timeframe].append(found.candle)
    return {timeframe: Candles.of(found[-200:]) for timeframe, found in candles.items()}
