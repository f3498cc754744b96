"""Candle files: ISO CSV, MetaTrader 5 exports and Dukascopy CSV, recognised by their header."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np

from mt5_bridge.files.candle_reader import CandleColumns, CandleReader
from mt5_bridge.files.containers import rereadable
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.layout import CANDLE_FORMS, PRICES, Layout, describe_times, parse_header
from mt5_bridge.files.price_form import PriceForm, SpreadForm, spread_form
from mt5_bridge.files.rows import RowParser
from mt5_bridge.files.text_files import read_header
from mt5_bridge.files.tick_files import file_clock
from mt5_bridge.files.timeframes import (
    OffGridError,
    TimeframeCheck,
    check_timeframe,
    commonest_step,
)
from signals_app.market.calendar import iso
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Float64s, Int64s, quantise_all

__all__ = (
    "CandleFile",
    "MarketFileError",
    "OffGridError",
    "OpenedCandleFile",
    "open_candle_file",
    "read_candle_file",
    "read_candles",
)


@dataclass(frozen=True, slots=True, eq=False)
class CandleFile:
    """The candles of a file, times in UTC and prices on the five-decimal grid.

    `spread` is each candle's as it is written, `None` where the file has none; `decimals` are the
    most that its prices are written with then. `assumed` says how the times were read.
    """

    path: Path
    candles: Candles
    spread: Float64s | None
    decimals: int
    assumed: str
    _lines: tuple[Sequence[int], ...] = ()

    @property
    def timeframe(self) -> Timeframe | None:
        """The timeframe that most of the candles are apart, `None` where there is none such."""
        step = commonest_step(self.candles.time_ms)
        return next((each for each in Timeframe if each.milliseconds == step), None)

    def check(self, timeframe: Timeframe, *, allows_broker_clock: bool = False) -> None:
        """Raise `MarketFileError` where a candle is not one of this timeframe on UTC's grid.

        ``allows_broker_clock`` lets H4 and D1 open whole hours beside it.
        """
        check_timeframe(
            self.path,
            self.candles.time_ms,
            timeframe.milliseconds,
            self._line_of,
            allows_broker_clock=allows_broker_clock,
        )

    def brokers_clock(self, timeframe: Timeframe) -> str | None:
        """The sentence that says the candles are off UTC's grid; `None` where they are on it.

        For what looks at one file alone and was checked with ``allows_broker_clock``.
        """
        places = np.flatnonzero(self.candles.time_ms % timeframe.milliseconds)
        if not len(places):
            return None
        opening = iso(int(self.candles.time_ms[places[0]]))
        return (
            f"{self.path.name} holds {timeframe} of a broker's clock (the first opens at "
            f"{opening}), which is taken as it is; live, history and backtests have {timeframe} on "
            "UTC's grid."
        )

    def _line_of(self, place: int) -> int:
        return next(islice(chain.from_iterable(self._lines), place, None))

    def spread_form(self, instrument: Instrument) -> SpreadForm:
        """What the spreads of the file mean for the instrument."""
        form = PriceForm(instrument.digits, instrument.default_spread)
        return spread_form(form, [] if self.spread is None else [self.spread], self.decimals)

    def spreads(self, instrument: Instrument) -> Float64s:
        """Each candle's spread in price: the file's, or the instrument's default."""
        form = self.spread_form(instrument)
        return quantise_all(form.in_price(self.spread, len(self.candles)))


@dataclass(frozen=True, slots=True)
class OpenedCandleFile:
    """A candle file whose header has been read. `assumed` says how its times are understood."""

    path: Path
    assumed: str
    _reader: CandleReader

    @property
    def size(self) -> int:
        """How many bytes the file has."""
        return rereadable(self.path).stat().st_size

    @property
    def decimals(self) -> int:
        """The most decimals that a price read so far was written with."""
        return self._reader.decimals

    def blocks(self, on_read: Callable[[int], None] = lambda _: None) -> Iterator[CandleColumns]:
        """Yield the candles, some ten thousands at a time; raises `MarketFileError`.

        ``on_read`` gets, before each block, how many of the file's bytes are read.
        """
        any_candles = False
        for block in self._reader.candles(on_read):
            any_candles = True
            yield block
        if not any_candles:
            raise MarketFileError(f"{self.path} has a header but no candles; export it again")

    def checked(
        self,
        timeframe: Timeframe,
        *,
        highest_volume: float,
        on_read: Callable[[int], None] = lambda _: None,
    ) -> Iterator[Candles]:
        """Yield candles of this timeframe on UTC's grid, none of a higher volume.

        Raises `MarketFileError` in the end at the latest: what was yielded before is for nothing
        then. It is an `OffGridError` where a broker's clock made the candles.
        """
        check = TimeframeCheck(self.path, timeframe.milliseconds)
        for block in self.blocks(on_read):
            check.add(block.time_ms, block.lines.__getitem__)
            what = f"the volume is above {highest_volume:,}, which cannot be stored"
            self._refuse(block, np.flatnonzero(block.volume > highest_volume), what)
            yield Candles(
                block.time_ms, block.open, block.high, block.low, block.close, block.volume
            )
        check.finish()

    def _refuse(self, block: CandleColumns, places: Int64s, what: str) -> None:
        if len(places):
            line = block.lines[int(places[0])]
            raise MarketFileError(f"{self.path}, line {line}: {what}; correct or remove that line")


def open_candle_file(path: str | Path, source_timezone: str = "utc") -> OpenedCandleFile:
    """Recognise a candle file by its header; raises `MarketFileError`."""
    path = Path(path)
    clock = file_clock(path, source_timezone)
    layout = _layout(path)
    rows = RowParser(path, layout, clock)
    assumed = describe_times(layout, clock, rows.first_time())
    return OpenedCandleFile(path, assumed, CandleReader(rows))


def read_candle_file(path: str | Path, source_timezone: str = "utc") -> CandleFile:
    """Read the candles and spreads of a file; raises `MarketFileError` where it is not sound.

    ``source_timezone`` is the clock of times that say no offset: `utc`; a broker's server clock,
    `server-eu` (as in Athens, so that it changes with Europe's daylight saving) or `server-us`
    (New York plus 7 hours); an IANA name such as `Asia/Dubai`; or an offset such as `+02:00`.
    """
    opened = open_candle_file(path, source_timezone)
    blocks = list(opened.blocks())
    columns = (
        np.concatenate([getattr(block, name) for block in blocks])
        for name in ("time_ms", *PRICES, "volume")
    )
    spreads = [block.spread for block in blocks if block.spread is not None]
    return CandleFile(
        opened.path,
        Candles(*columns),
        np.concatenate(spreads) if spreads else None,
        opened.decimals,
        opened.assumed,
        tuple(block.lines for block in blocks),
    )


def read_candles(path: str | Path, source_timezone: str = "utc") -> Candles:
    """Read the candles of a file as `read_candle_file` does."""
    return read_candle_file(path, source_timezone).candles


def _layout(path: Path) -> Layout:
    layout = parse_header(path, read_header(path), CANDLE_FORMS)
    if not set(PRICES) <= layout.columns.keys():
        raise MarketFileError(f"{path} holds ticks, not candles; {CANDLE_FORMS}")
    if layout.volume_column is None:
        raise MarketFileError(f"{path} has no column volume; {CANDLE_FORMS}")
    # Quotes beside the candle, as some exports have them, are not used.
    return replace(layout, is_candles=True)
