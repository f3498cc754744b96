"""Price history: brought into the database, and read from it or from candle files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from signals_app.importers.candle_files import MarketFileError
from signals_app.importers.candle_series import CandlePath, Series, read_series
from signals_app.market.built_in import BUILT_IN
from signals_app.market.candle import TIMEFRAMES, Candle, Candles, Timeframe
from signals_app.market.candle_run import CandleRun
from signals_app.market.instrument import Instrument
from signals_app.market.symbols import UnknownSymbol, find_instrument
from signals_app.market.tick import quantise_all
from signals_app.models import Instrument as InstrumentRow
from signals_app.models import PriceCandle, StreamPosition
from signals_app.services.connectors import is_simulated

_ALL = 100_000_000
_END_OF_TIME_MS = 4_000_000_000_000


class SimulatedHistory(Exception):  # noqa: N818 - it says what was found
    """The database's candles were made up, and so would be what they give; one sentence."""


@dataclass(frozen=True, slots=True)
class MarketHistory:
    """Where the candles of one market and timeframe are: in these files, or in the database.

    Years of many markets are too much to hold at once, so that `read` is called one by one.
    """

    instrument: Instrument
    timeframe: Timeframe
    paths: tuple[CandlePath, ...] = ()

    @property
    def name(self) -> str:
        """Symbol and timeframe, as in "XAUUSD M15"."""
        return f"{self.instrument.symbol} {self.timeframe}"

    def read(self) -> Series:
        """The candles. Raises `MarketFileError` where a file cannot be read."""
        if self.paths:
            return read_series(self.paths, self.instrument)
        return stored_series(self.instrument, self.timeframe)


def histories_of_files(
    paths: Iterable[CandlePath], instruments: Mapping[str, Instrument]
) -> list[MarketHistory]:
    """The files by market and timeframe, ordered by symbol, then length.

    Raises `MarketFileError` for one of a symbol that is none of the ``instruments``.
    """
    by_market: dict[tuple[str, Timeframe], list[CandlePath]] = {}
    for one in paths:
        try:
            symbol = find_instrument(one.symbol, instruments).symbol
        except UnknownSymbol:
            raise MarketFileError(
                f"{one.path} holds {one.symbol}, which is no instrument here; "
                f"there are {', '.join(sorted(instruments))}."
            ) from None
        by_market.setdefault((symbol, one.timeframe), []).append(one)
    return [
        MarketHistory(instruments[symbol], timeframe, tuple(by_market[symbol, timeframe]))
        for symbol, timeframe in sorted(by_market, key=_order)
    ]


def histories_of_database(
    symbol: str | None = None, timeframe: Timeframe | None = None
) -> list[MarketHistory]:
    """The instruments' candles of M15, H1 and H4, ordered by symbol, then length.

    ``symbol``, in whatever letters, and ``timeframe`` leave out all others. Raises
    `SimulatedHistory`.
    """
    instruments = instruments_by_symbol()
    stored = PriceCandle.objects.filter(timeframe__in=TIMEFRAMES)
    markets = {
        (name, Timeframe(length))
        for name, length in stored.values_list("instrument", "timeframe").distinct()
    }
    histories = [
        MarketHistory(instruments[name], length)
        for name, length in sorted(markets, key=_order)
        if name in instruments
        and (symbol is None or name.upper() == symbol.upper())
        and timeframe in (None, length)
    ]
    simulated = sorted(filter(is_simulated, {one.instrument.symbol for one in histories}))
    if simulated:
        raise SimulatedHistory(
            f"The database's candles of {', '.join(simulated)} were made up by a simulated "
            "connector, and so would be what they give; name candle files of a real market."
        )
    return histories


def store_history(symbol: str, timeframe: Timeframe, rows: Sequence[Sequence[float]]) -> int:
    """Store closed candles `[time_ms, open, high, low, close, volume]`; return how many count.

    A candle that ticks made stays, and history reaches no further than the symbol's first tick:
    otherwise a decision would depend on when the history came.
    """
    with transaction.atomic():
        position = StreamPosition.objects.select_for_update().filter(instrument=symbol).first()
        first_ms = position.first_time_ms if position is not None else 0
        usable = [
            row for row in rows if not first_ms or row[0] + timeframe.milliseconds <= first_ms
        ]
        prices = quantise_all(np.array([row[1:5] for row in usable], dtype=np.float64))
        candles = [
            Candle(int(row[0]), opened, high, low, close, float(row[5]))
            for row, (opened, high, low, close) in zip(usable, prices.tolist(), strict=True)
        ]
        PriceCandle.objects.bulk_create(
            PriceCandle.of(symbol, timeframe, candles, PriceCandle.Source.HISTORY),
            ignore_conflicts=True,
            batch_size=1000,
        )
    return len(usable)


def instruments_by_symbol() -> dict[str, Instrument]:
    """Every instrument of the database, and the built-in ones that it has no row of yet."""
    return {**BUILT_IN, **{row.symbol: row.value() for row in InstrumentRow.objects.all()}}


def known_symbol(text: str | None) -> str | None:
    """The spelling of an instrument's symbol that the database has; `None` where none is asked for.

    Raises `UnknownSymbol`.
    """
    return None if text is None else find_instrument(text, instruments_by_symbol()).symbol


def stored_series(instrument: Instrument, timeframe: Timeframe) -> Series:
    """The database's candles, each with the instrument's default spread."""
    candles = stored_candles(instrument.symbol, timeframe)
    spread = np.full(len(candles), instrument.default_spread)
    name = f"the database's {instrument.symbol} {timeframe}"
    return Series.of(CandleRun(name, candles, spread))


def stored_candles(symbol: str, timeframe: Timeframe) -> Candles:
    """Every closed candle of the database, oldest first."""
    return PriceCandle.objects.window(symbol, timeframe, _END_OF_TIME_MS, _ALL)


def _order(market: tuple[str, Timeframe]) -> tuple[str, int]:
    return market[0], market[1].milliseconds
