"""Years of one market from many candle files: named by what they hold, no time counted twice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mt5_bridge.files.candle_names import parse_candle_name
from signals_app.importers.candle_files import MarketFileError, read_candle_file
from signals_app.market.candle import Timeframe
from signals_app.market.candle_run import SHORTEST_RUN, CandleRun
from signals_app.market.instrument import Instrument


@dataclass(frozen=True, slots=True)
class CandlePath:
    """A candle file and what it holds; `clock` is a `source_timezone` of `read_candle_file`."""

    path: Path
    symbol: str
    timeframe: Timeframe
    clock: str


@dataclass(frozen=True, slots=True)
class Series:
    """Years of one market and timeframe: runs in order of time, and what could not be used.

    `left_out` has a sentence for each file that holds too few candles, `notes` one for each that a
    broker's clock made.
    """

    runs: tuple[CandleRun, ...]
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: CandleRun) -> "Series":
        """The series of one run, which is left out where it is too short."""
        return cls((run,)) if run.shortage is None else cls((), (run.shortage,))


def candle_paths(
    places: Iterable[Path],
    *,
    symbol: str | None = None,
    timeframe: Timeframe | None = None,
    source_timezone: str = "utc",
) -> list[CandlePath]:
    """The candle files of M15, H1 and H4 among ``places``, files or directories.

    A file says by its name what it holds, `SYMBOL_TIMEFRAME….csv[.gz]`, and by an end in `_UTC`,
    `_SERVER-EU` or `_SERVER-US` its clock; otherwise ``source_timezone`` holds. ``symbol`` leaves
    out the others; together with ``timeframe`` it says what a file of any other name holds.
    Raises `MarketFileError` for a place that is not there or a file that says too little.
    """
    found: list[CandlePath] = []
    for place in places:
        if not place.exists():
            raise MarketFileError(f"{place} does not exist; check the path.")
        for path in sorted(place.iterdir()) if place.is_dir() else [place]:
            named = parse_candle_name(path.name)
            if named is not None:
                clock = named.clock or source_timezone.lower()
                one = CandlePath(path, named.symbol, Timeframe(named.timeframe), clock)
            elif place.is_dir():
                continue
            elif symbol is None or timeframe is None:
                raise MarketFileError(
                    f"The name of {path} does not say what it holds, as XAUUSD_M15.csv would; "
                    "give --symbol and --timeframe."
                )
            else:
                one = CandlePath(path, symbol, timeframe, source_timezone)
            is_meant = symbol is None or symbol.upper() == one.symbol.upper()
            if is_meant and timeframe in (None, one.timeframe):
                found.append(one)
    return found


def read_series(paths: Sequence[CandlePath], instrument: Instrument) -> Series:
    """The candles of files of one market and timeframe.

    Where files overlap, one with volumes goes before one without, then the longer one; of the
    others only what lies outside is used. Raises `MarketFileError`.
    """
    files = [_read(one, instrument) for one in paths]
    runs = [run for run, _ in files]
    runs.sort(key=lambda run: (not run.candles.volume.any(), -len(run)))
    used: list[CandleRun] = []
    for run in runs:
        pieces = [run]
        for other in used:
            pieces = [part for piece in pieces for part in _outside(piece, other)]
        used += [piece for piece in pieces if len(piece) >= SHORTEST_RUN]
    used.sort(key=lambda run: int(run.candles.time_ms[0]))
    return Series(
        tuple(used),
        tuple(run.shortage for run in runs if run.shortage is not None),
        tuple(note for _, note in files if note is not None),
    )


def _read(one: CandlePath, instrument: Instrument) -> tuple[CandleRun, str | None]:
    file = read_candle_file(one.path, one.clock)
    # What is measured here is measured within one file: its own grid does.
    file.check(one.timeframe, allows_broker_clock=True)
    run = CandleRun(one.path.name, file.candles, file.spreads(instrument))
    return run, file.brokers_clock(one.timeframe)


def _outside(run: CandleRun, other: CandleRun) -> tuple[CandleRun, CandleRun]:
    """What of a run lies before and behind another."""
    first, last = other.candles.time_ms[[0, -1]].tolist()
    before = int(np.searchsorted(run.candles.time_ms, first))
    behind = int(np.searchsorted(run.candles.time_ms, last, side="right"))
    return run.part(0, before), run.part(behind)
