"""The candle files of one market's history, each of its timeframe and on the grid of UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mt5_bridge.files.broker_time import UnknownTimezoneError, clock_named
from mt5_bridge.files.candle_names import parse_candle_name, two_of_one
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.history import read_files
from mt5_bridge.files.rebuild import best_source, rebuild
from signals_app.market.candle import Candles, Timeframe

__all__ = (
    "HistoryFiles",
    "MarketFileError",
    "built",
    "longest_shorter",
    "parse_candle_name",
    "read_history_files",
    "two_of_one",
)


@dataclass(frozen=True, slots=True, eq=False)
class HistoryFiles:
    """Closed candles by timeframe; `built_from` has the shorter one of those that were built."""

    candles: Mapping[Timeframe, Candles]
    built_from: Mapping[Timeframe, Timeframe]

    @property
    def description(self) -> str:
        """What was built from what, to be put behind a description of the file."""
        return "".join(
            f"; the history's {longer} is on a broker's clock and was built from its {shorter}"
            for longer, shorter in self.built_from.items()
        )


def longest_shorter(firsts: Mapping[Timeframe, int], timeframe: Timeframe) -> Timeframe | None:
    """Choose what candles of a timeframe are built from, by the first openings of each one there.

    `None` where none of them is shorter.
    """
    lengths = {each.milliseconds: first for each, first in firsts.items()}
    best = best_source(lengths, timeframe.milliseconds)
    return next((each for each in firsts if each.milliseconds == best), None)


def built(candles: Candles, shorter: Timeframe, timeframe: Timeframe) -> Candles:
    """Join candles of the ``shorter`` timeframe to whole ones of ``timeframe`` on UTC's grid."""
    columns = (
        candles.time_ms,
        candles.open,
        candles.high,
        candles.low,
        candles.close,
        candles.volume,
    )
    return Candles(*rebuild(columns, shorter.milliseconds, timeframe.milliseconds))


def read_history_files(
    files: Mapping[Timeframe, Path], source_timezone: str = "utc"
) -> HistoryFiles:
    """Read one market's files by timeframe; raises `MarketFileError`.

    Candles of H4 on a broker's clock are built from shorter ones among the files, and refused where
    there are none.
    """
    try:
        clock = clock_named(source_timezone)
    except UnknownTimezoneError as error:
        raise MarketFileError(str(error)) from None
    found = read_files({timeframe.value: path for timeframe, path in files.items()}, clock)
    return HistoryFiles(
        {Timeframe(name): Candles(*one.columns) for name, one in found.items()},
        {
            Timeframe(name): Timeframe(one.built_from)
            for name, one in found.items()
            if one.built_from is not None
        },
    )
