"""The price history that a stack starts with: `SYMBOL_TIMEFRAME.csv[.gz]`, one file or many."""

from dataclasses import dataclass
from pathlib import Path

from goldtrader.stack.errors import StackError
from mt5_bridge.files.candle_names import parse_candle_name, two_of_one


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """A file of closed candles and what its name says it holds.

    `source_timezone` is the clock of its times, where they name none: the one that the name ends
    in before the one that was given.
    """

    path: Path
    symbol: str
    timeframe: str
    source_timezone: str = "utc"


def find_history(place: Path, source_timezone: str = "utc") -> tuple[HistoryFile, ...]:
    """The files of ``place``, a file or a directory; raises `StackError` for none."""
    if not place.exists():
        raise StackError(f"The history {place} does not exist; name another with --history.")
    paths = sorted(place.iterdir()) if place.is_dir() else [place]
    found = tuple(
        HistoryFile(path, name.symbol, name.timeframe, name.clock or source_timezone)
        for path in paths
        if (name := parse_candle_name(path.name)) is not None
    )
    if not found:
        raise StackError(
            f"The history {place} holds no file named like XAUUSD_M15.csv or XAUUSD_H4.csv.gz."
        )
    twice = two_of_one(file.path for file in found)
    if twice is not None:
        raise StackError(
            f"The history {place} holds {twice[0].name} and {twice[1].name}, which are of one "
            "timeframe; keep one of them there."
        )
    return found


def check_history(files: tuple[HistoryFile, ...]) -> None:
    """Read all files to their ends; raises `StackError` at the first bad row."""
    # Here: it brings numpy, which a start without history does not need.
    from signals_app.importers.history_files import MarketFileError, read_history_files
    from signals_app.market.candle import Timeframe

    for symbol in sorted({file.symbol for file in files}):
        paths = {Timeframe(file.timeframe): file.path for file in files if file.symbol == symbol}
        clocks = {file.source_timezone for file in files if not _names_its_clock(file)}
        try:
            read_history_files(paths, *clocks)
        except MarketFileError as error:
            raise StackError(str(error)) from error


def _names_its_clock(file: HistoryFile) -> bool:
    named = parse_candle_name(file.path.name)
    return named is not None and named.clock is not None


def shorter_first(files: tuple[HistoryFile, ...]) -> list[HistoryFile]:
    """Return the files in the order of import: what others may be built from goes first."""
    return sorted(files, key=lambda file: ("M15", "H1", "H4").index(file.timeframe))
