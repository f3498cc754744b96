"""Brings a candle file into the database: read, checked and copied in one transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from signals_app.importers.candle_files import MarketFileError, OffGridError, OpenedCandleFile
from signals_app.importers.history_files import built, longest_shorter
from signals_app.market.calendar import iso, utc
from signals_app.market.candle import Candles, Timeframe
from signals_app.models import PriceCandle, StreamPosition
from signals_app.services import audit
from signals_app.services.audit import Change
from signals_app.services.price_history import stored_candles

#: What the column of `price_history` holds.
HIGHEST_VOLUME: Final = 2**53
_ROW = "%s\t%s\t%sZ\t%.5f\t%.5f\t%.5f\t%.5f\t%d\tHISTORY\n"
_COPY = (
    "COPY price_history (instrument, timeframe, timestamp, open, high, low, close, volume, source) "
    "FROM STDIN"
)
_STORED = """
SELECT array_agg((extract(epoch FROM timestamp) * 1000)::bigint ORDER BY timestamp),
       array_agg(high::float8 ORDER BY timestamp), array_agg(low::float8 ORDER BY timestamp)
FROM price_history
WHERE instrument = %s AND timeframe = %s AND timestamp BETWEEN %s AND %s
"""
_OFF_GRID = """
SELECT min(timestamp) FROM price_history WHERE instrument = %s AND timeframe = %s
AND (extract(epoch FROM timestamp) * 1000)::bigint %% %s <> 0
"""
#: Of so many candles that are stored already, most have to agree with those of the file.
_ENOUGH_SHARED = 5
OnRead = Callable[[int], None]
Bools = NDArray[np.bool_]


@dataclass(slots=True)
class ImportedCandles:
    """What came of a file of `read` candles from `first_ms` to `last_ms`.

    `late` ones end after the symbol's first tick and were left out, `known` ones were stored
    already, `new` ones are now. `built_from` is the stored timeframe that they were built from.
    """

    read: int = 0
    first_ms: int = 0
    last_ms: int = 0
    late: int = 0
    known: int = 0
    new: int = 0
    built_from: Timeframe | None = None


def import_candle_file(
    symbol: str,
    timeframe: Timeframe,
    file: OpenedCandleFile,
    on_read: OnRead = lambda _: None,
) -> ImportedCandles:
    """Store a file's closed candles, all of them or none.

    A candle that ticks made stays, and history reaches no further than the symbol's first tick:
    otherwise a decision would depend on when the history came. Candles of a broker's own clock are
    built from shorter ones that are stored. Raises `MarketFileError`.
    """
    try:
        with transaction.atomic():
            importer = _Importer(symbol, timeframe, file.path)
            candles = file.checked(
                timeframe,
                highest_volume=HIGHEST_VOLUME,
                on_read=on_read,
            )
            stored = importer.store(candles)
            _record(symbol, timeframe, file, stored)
    except OffGridError:
        shorter = _shorter_history(symbol, timeframe)
        if shorter is None:
            raise
        with transaction.atomic():
            importer = _Importer(symbol, timeframe, file.path)
            rebuilt = built(stored_candles(symbol, shorter), shorter, timeframe)
            if not len(rebuilt):
                raise
            stored = importer.store([rebuilt])
            stored.built_from = shorter
            _record(symbol, timeframe, file, stored)
    with connection.cursor() as cursor:
        # After a bulk load the planner's figures are those of an empty table.
        cursor.execute("ANALYZE price_history")
    return stored


def _record(
    symbol: str, timeframe: Timeframe, file: OpenedCandleFile, stored: ImportedCandles
) -> None:
    imported = {"file": str(file.path), "read": stored.read, "new": stored.new}
    kind = PriceCandle._meta.label_lower
    audit.record(Change("imported", kind, f"{symbol} {timeframe}", after=imported))


class _Importer:
    """Copies blocks of candles into the table, without those that are stored already."""

    def __init__(self, symbol: str, timeframe: Timeframe, path: Path) -> None:
        """Lock the market's history; raises `MarketFileError` where it is on another grid."""
        self._symbol, self._timeframe, self._path = symbol, timeframe, path
        self._found = ImportedCandles()
        self._shared = self._apart = 0
        self._first_apart = ""
        with connection.cursor() as cursor:
            # Two imports of one market would store its candles twice, and one of them in vain.
            lock = f"price_history {symbol} {timeframe}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
            cursor.execute(_OFF_GRID, [symbol, timeframe.value, timeframe.milliseconds])
            (off_grid,) = cursor.fetchone()
        if off_grid is not None:
            raise MarketFileError(
                f"the database holds {timeframe} candles of {symbol} that do not open on UTC's "
                f"grid, the first at {off_grid:%Y-%m-%d %H:%M} UTC; delete them, and then import "
                f"{path}"
            )
        rows = PriceCandle.objects.filter(instrument=symbol, timeframe=timeframe.value)
        self._is_empty = not rows.exists()
        position = StreamPosition.objects.select_for_update().filter(instrument=symbol).first()
        self._first_tick_ms = position.first_time_ms if position is not None else 0

    def store(self, blocks: Iterable[Candles]) -> ImportedCandles:
        """Copy all blocks; raises `MarketFileError` where they contradict what is stored."""
        for block in blocks:
            if not len(block):
                continue
            found = self._found
            found.first_ms = found.first_ms if found.read else int(block.time_ms[0])
            found.last_ms, found.read = int(block.time_ms[-1]), found.read + len(block)
            self._copy(block, self._is_new(block))
        if self._shared >= _ENOUGH_SHARED and 2 * self._apart > self._shared:
            raise MarketFileError(
                f"{self._path}: {self._apart:,} of {self._shared:,} candles lie at other prices "
                f"than those stored for the same times, the first at {self._first_apart}; check "
                f"the symbol ({self._symbol}) and the time zone"
            )
        return self._found

    def _is_new(self, block: Candles) -> Bools:
        """At which places candles are stored; counts the others."""
        ends = block.time_ms + self._timeframe.milliseconds
        is_late = ends > self._first_tick_ms if self._first_tick_ms else np.zeros(len(block), bool)
        is_known = np.zeros(len(block), bool) if self._is_empty else self._is_known(block)
        self._found.late += int(is_late.sum())
        self._found.known += int((is_known & ~is_late).sum())
        return ~is_late & ~is_known

    def _is_known(self, block: Candles) -> Bools:
        first, last = utc(int(block.time_ms[0])), utc(int(block.time_ms[-1]))
        with connection.cursor() as cursor:
            cursor.execute(_STORED, [self._symbol, self._timeframe.value, first, last])
            times, highs, lows = (np.array(column or []) for column in cursor.fetchone())
        if not len(times):
            return np.zeros(len(block), bool)
        places = np.minimum(np.searchsorted(times, block.time_ms), len(times) - 1)
        is_known: Bools = np.asarray(times[places] == block.time_ms, dtype=np.bool_)
        apart = is_known & ((block.low > highs[places]) | (block.high < lows[places]))
        self._shared += int(is_known.sum())
        if apart.any() and not self._apart:
            self._first_apart = iso(int(block.time_ms[np.argmax(apart)]))
        self._apart += int(apart.sum())
        return is_known

    def _copy(self, block: Candles, is_new: Bools) -> None:
        count = int(is_new.sum())
        if not count:
            return
        self._found.new += count
        new = Candles(
            block.time_ms[is_new],
            block.open[is_new],
            block.high[is_new],
            block.low[is_new],
            block.close[is_new],
            block.volume[is_new],
        )
        text = copied_text(self._symbol, self._timeframe, new)
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.write(text)


def copied_text(symbol: str, timeframe: Timeframe, candles: Candles) -> str:
    """The rows in the text form of COPY; one formatting of all is several times as quick."""
    times = np.datetime_as_string(candles.time_ms.astype("datetime64[ms]"), unit="s")
    # Whole as every other way to the table and a backtest's windows make it: to the nearest.
    volumes = np.rint(candles.volume)
    columns = (times, candles.open, candles.high, candles.low, candles.close, volumes)
    names = ([name] * len(candles) for name in (symbol, timeframe.value))
    rows = zip(*names, *(column.tolist() for column in columns), strict=True)
    return _ROW * len(candles) % tuple(chain.from_iterable(rows))


def _shorter_history(symbol: str, timeframe: Timeframe) -> Timeframe | None:
    """Of the stored timeframes the one to build from, `None` where there is none shorter."""
    stored = PriceCandle.objects.filter(instrument=symbol)
    firsts: dict[Timeframe, int] = {}
    for each in Timeframe:
        first = stored.filter(timeframe=each.value).order_by("timestamp").first()
        if first is not None:
            firsts[each] = first.value().time_ms
    return longest_shorter(firsts, timeframe)
