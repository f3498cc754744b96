"""Closed candles: those that ticks made, and imported history."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

import numpy as np
from django.db import connections, models

from signals_app.market import calendar
from signals_app.market.candle import WINDOW, Candle, Candles, Timeframe
from signals_app.models import fields
from signals_app.models.values import ValueColumns


class PriceCandleQuerySet(models.QuerySet["PriceCandle"]):
    """Windows of candles, as the core reads them."""

    def window(self, symbol: str, timeframe: Timeframe, end_ms: int, size: int = WINDOW) -> Candles:
        """The last ``size`` candles that end at or before ``end_ms``, oldest first."""
        return self.windows(symbol, {timeframe: (end_ms, size)})[timeframe]

    def windows(
        self, symbol: str, wanted: Mapping[Timeframe, tuple[int, int]]
    ) -> dict[Timeframe, Candles]:
        """For each timeframe its last candles, oldest first; one query for all.

        ``wanted`` gives the time by which they end, in milliseconds, and how many they are.
        """
        latest = [
            calendar.utc(end - timeframe.milliseconds) for timeframe, (end, _) in wanted.items()
        ]
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                _WINDOWS,
                {
                    "symbol": symbol,
                    "timeframes": [timeframe.value for timeframe in wanted],
                    "latest": latest,
                    "sizes": [size for _, size in wanted.values()],
                },
            )
            return {
                Timeframe(name): Candles(
                    np.array(times or [], dtype=np.int64)[::-1].copy(),
                    *(np.array(column or [], dtype=np.float64)[::-1].copy() for column in prices),
                )
                for name, times, *prices in cursor.fetchall()
            }


# A row of whole columns for each timeframe: read as a row for each candle, in `Decimal`, it takes
# ten times as long.
_WINDOWS = """
SELECT wanted.timeframe, columns.*
FROM unnest(%(timeframes)s::text[], %(latest)s::timestamptz[], %(sizes)s::bigint[])
    AS wanted(timeframe, latest, size)
CROSS JOIN LATERAL (
    SELECT array_agg((extract(epoch FROM timestamp) * 1000)::bigint),
           array_agg(open::float8), array_agg(high::float8), array_agg(low::float8),
           array_agg(close::float8), array_agg(volume::float8)
    FROM (
        SELECT timestamp, open, high, low, close, volume FROM price_history
        WHERE instrument = %(symbol)s AND timeframe = wanted.timeframe
          AND timestamp <= wanted.latest
        ORDER BY timestamp DESC LIMIT wanted.size
    ) AS newest
) AS columns
"""


class PriceCandle(models.Model):
    """One closed candle of bid prices; `timestamp` is its opening time."""

    class Source(models.TextChoices):
        """What made the candle. Ticks are never overwritten by history."""

        TICKS = "TICKS"
        HISTORY = "HISTORY"

    instrument = fields.symbol()
    timeframe = fields.timeframe(max_length=10)
    timestamp = models.DateTimeField(help_text="opening time")
    open = fields.price()
    high = fields.price()
    low = fields.price()
    close = fields.price()
    volume = models.BigIntegerField(help_text="ticks in the candle")
    source = models.CharField(max_length=7, choices=Source.choices, default=Source.TICKS)

    objects = PriceCandleQuerySet.as_manager()
    columns: ClassVar = ValueColumns(Candle, names={"time_ms": "timestamp"})

    class Meta:
        db_table = "price_history"
        verbose_name = "candle"
        constraints = (
            models.UniqueConstraint(
                fields=("instrument", "timeframe", "timestamp"), name="one_candle_per_interval"
            ),
        )
        indexes = (models.Index(fields=("-timestamp",), name="candle_newest"),)

    def __str__(self) -> str:
        return f"{self.instrument} {self.timeframe} {self.timestamp:%Y-%m-%d %H:%M}"

    @classmethod
    def of(
        cls, symbol: str, timeframe: Timeframe, candles: Iterable[Candle], source: Source
    ) -> "list[PriceCandle]":
        """Unsaved rows of the given candles."""
        return [
            cls(instrument=symbol, timeframe=timeframe, source=source, **cls.columns.of(candle))
            for candle in candles
        ]

    def value(self) -> Candle:
        """The core's value of this row."""
        return self.columns.value(self)
