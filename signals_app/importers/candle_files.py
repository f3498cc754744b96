"""Candle files: ISO CSV, MetaTrader 5 exports and Dukascopy CSV, recognised by their header."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from signals_app.importers.candle_layout import PRICES, CandleLayout, find_layout
from signals_app.importers.candle_text import CORRECT_LINE, CandleFileError, CandleText
from signals_app.importers.candle_times import read_times, wall_clock
from signals_app.market.candle import Candles
from signals_app.market.tick import Float64s, quantise_all

__all__ = ("CandleFile", "CandleFileError", "read_candle_file", "read_candles")

_HIGHEST_PRICE = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class CandleFile:
    """The candles of a file, times in UTC and prices on the five-decimal grid.

    `spread` is each candle's, `None` where the file has none: in points of the instrument's last
    digit where `spread_in_points`, otherwise in price. `assumed` says how the file was read.
    """

    candles: Candles
    spread: Float64s | None
    spread_in_points: bool
    assumed: str


def read_candle_file(path: str | Path, source_timezone: str = "utc") -> CandleFile:
    """Read the candles and spreads of a file; raises `CandleFileError` where it is not sound.

    ``source_timezone`` is the clock of times that say no offset: `utc`; a broker's server clock,
    `server-eu` (as in Athens, so that it changes with Europe's daylight saving) or `server-us`
    (New York plus 7 hours); an IANA name such as `Asia/Dubai`; or an offset such as `+02:00`.
    """
    return _read(Path(path), source_timezone, with_spread=True)


def read_candles(path: str | Path, source_timezone: str = "utc") -> Candles:
    """Read the candles of a file as `read_candle_file` does, whatever its other columns hold."""
    return _read(Path(path), source_timezone, with_spread=False).candles


def _read(path: Path, source_timezone: str, *, with_spread: bool) -> CandleFile:
    clock = wall_clock(source_timezone)
    file = CandleText(path)
    layout = find_layout(file)
    frame = _frame(file, layout, with_spread=with_spread)
    if frame.empty:
        file.fail("has a header but no candles", "export it again")
    time_ms = read_times(file, layout, frame, clock)
    open_, high, low, close = (_prices(file, layout, frame, name) for name in PRICES)
    volume = _numbers(file, layout, frame, "volume")
    candles = Candles(time_ms, open_, high, low, close, volume)
    _check(file, candles)
    has_spread = "spread" in frame.columns
    clock_name = "UTC" if layout.says_utc else source_timezone
    return CandleFile(
        candles=candles,
        spread=_spreads(file, layout, frame) if has_spread else None,
        spread_in_points=has_spread and frame["spread"].dtype.kind == "i",
        assumed=f"{layout.format}; times without an offset read as {clock_name}",
    )


def _frame(file: CandleText, layout: CandleLayout, *, with_spread: bool) -> pd.DataFrame:
    """The file's rows: text for times, numbers (or text where it is none) for the rest."""
    columns = {
        place: name for name, place in layout.columns.items() if with_spread or name != "spread"
    }
    names = [columns.get(place, place) for place in range(layout.width)]
    file.refuse_long_lines(layout.separator, layout.width)
    try:
        return pd.read_csv(
            io.StringIO(file.text),
            sep=layout.separator,
            header=0,
            names=names,
            usecols=list(columns.values()),
            index_col=False,
            dtype=dict.fromkeys(layout.time_columns, str),
        )
    except pd.errors.ParserError as error:
        file.fail(f"is not a regular table ({error})", CORRECT_LINE)


def _numbers(file: CandleText, layout: CandleLayout, frame: pd.DataFrame, column: str) -> Float64s:
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64)
    if frame[column].dtype == bool:
        values = np.full(len(frame), np.nan)  # a column of nothing but True is read as ones
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        row = int(bad[0])
        written = file.field(row, layout.separator, layout.columns[column])
        file.fail_at(row, f"{column} is {written!r}, not a number" if written else f"no {column}")
    return np.ascontiguousarray(values)


def _prices(file: CandleText, layout: CandleLayout, frame: pd.DataFrame, column: str) -> Float64s:
    prices = _numbers(file, layout, frame, column)
    _refuse_first(file, prices > _HIGHEST_PRICE, f"{column} is above {_HIGHEST_PRICE:,.0f}")
    return quantise_all(prices)


def _spreads(file: CandleText, layout: CandleLayout, frame: pd.DataFrame) -> Float64s:
    spread = _numbers(file, layout, frame, "spread")
    negative = np.flatnonzero(spread < 0)
    if len(negative):
        row = int(negative[0])
        file.fail_at(row, f"spread {spread[row]:g} is below zero")
    return spread


def _check(file: CandleText, candles: Candles) -> None:
    low, high = candles.low, candles.high
    body_low = np.minimum(candles.open, candles.close)
    body_high = np.maximum(candles.open, candles.close)
    _refuse_first(file, low <= 0, "a price is not above zero")
    _refuse_first(file, high < low, "high is below low")
    _refuse_first(file, body_low < low, "open or close is below low")
    _refuse_first(file, body_high > high, "open or close is above high")
    _refuse_first(file, candles.volume < 0, "volume is below zero")
    step = np.diff(candles.time_ms, prepend=candles.time_ms[0] - 1)
    _refuse_first(file, step == 0, "its time is that of the candle before", "remove one of them")
    _refuse_first(
        file, step < 0, "its time is before that of the candle before", "sort the file by time"
    )


def _refuse_first(
    file: CandleText, wrong: np.ndarray, what: str, remedy: str = CORRECT_LINE
) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        file.fail_at(int(rows[0]), what, remedy)
