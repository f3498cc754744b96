"""The price history that a stack starts with: `SYMBOL_TIMEFRAME.csv[.gz]`, one file or many."""

from dataclasses import dataclass
from pathlib import Path

from goldtrader.stack.errors import StackError
from signals_app.importers.history_names import parse_history_name


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """A file of closed candles and what its name says it holds.

    `source_timezone` is the clock of its times, where they name none.
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
        HistoryFile(path, *name, source_timezone)
        for path in paths
        if (name := parse_history_name(path.name)) is not None
    )
    if not found:
        raise StackError(
            f"The history {place} holds no file named like XAUUSD_M15.csv or XAUUSD_H4.csv.gz."
        )
    return found


def check_history(files: tuple[HistoryFile, ...]) -> None:
    """Read all files to their ends; raises `StackError` at the first bad row."""
    # Here: it brings numpy, which a start without history does not need.
    from signals_app.importers.history_files import MarketFileError, read_history_files
    from signals_app.market.candle import Timeframe

    for symbol in sorted({file.symbol for file in files}):
        paths = {Timeframe(file.timeframe): file.path for file in files if file.symbol == symbol}
        try:
            read_history_files(paths, files[0].source_timezone)
        except MarketFileError as error:
            raise StackError(str(error)) from error


def shorter_first(files: tuple[HistoryFile, ...]) -> list[HistoryFile]:
    """Return the files in the order of import: what others may be built from goes first."""
    return sorted(files, key=lambda file: ("M15", "H1", "H4").index(file.timeframe))
