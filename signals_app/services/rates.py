"""Rates as the live pipeline knows them: from the candles of the pair that a cross is paid by."""

from decimal import Decimal

from signals_app.market.calendar import DAY_MS
from signals_app.market.candle import Timeframe
from signals_app.market.conversion import (
    MAXIMUM_AGE_MS,
    DailyRates,
    NoRate,
    RatePair,
    rate_pair,
    rate_time_ms,
)
from signals_app.market.instrument import Instrument
from signals_app.models import PriceCandle, StreamPosition


class LiveRates:
    """The rates that an instrument's closes are decided with; read once for each day."""

    def __init__(self, instrument: Instrument) -> None:
        self._symbol = instrument.symbol
        self._pair = _pair(instrument)
        self._of_days: dict[int, Decimal | None] = {}
        self._reached_ms: tuple[int, int] | None = None

    def at(self, close_time_ms: int) -> Decimal | None:
        """The rate of a close; `None` where it needs none or none is known."""
        if self._pair is None:
            return None
        midnight_ms = rate_time_ms(close_time_ms)
        if midnight_ms not in self._of_days:
            candles = PriceCandle.objects.windows(
                self._pair.symbol, dict.fromkeys(Timeframe, (midnight_ms, 1))
            )
            self._of_days[midnight_ms] = DailyRates.of(candles).at(midnight_ms)
        return self._of_days[midnight_ms]

    def is_awaited(self, close_time_ms: int) -> bool:
        """Whether the close waits for the pair's stream, which has not come to the day's beginning.

        Otherwise its rate would depend on which of two streams is used first. It waits for a pair
        that is fed, until the instrument's own stream is a day ahead: a feed that ended stops none.
        """
        if self._pair is None:
            return False
        midnight_ms = rate_time_ms(close_time_ms)
        own_ms, pairs_ms = self._reached(self._pair)
        return (
            midnight_ms - MAXIMUM_AGE_MS <= pairs_ms < midnight_ms and own_ms < midnight_ms + DAY_MS
        )

    def _reached(self, pair: RatePair) -> tuple[int, int]:
        """How far the instrument's own stream and its pair's are used; 0 for one that is not."""
        if self._reached_ms is None:
            rows = StreamPosition.objects.filter(instrument__in=(self._symbol, pair.symbol))
            reached = {row.instrument: max(row.time_ms, row.watermark_ms) for row in rows}
            self._reached_ms = reached.get(self._symbol, 0), reached.get(pair.symbol, 0)
        return self._reached_ms


def awaited_pair(instrument: Instrument, close_time_ms: int) -> str | None:
    """The pair whose stream a close waits for, `None` where it waits for none."""
    pair = _pair(instrument)
    if pair is None or not LiveRates(instrument).is_awaited(close_time_ms):
        return None
    return pair.symbol


def _pair(instrument: Instrument) -> RatePair | None:
    """The pair that rates are of; an unknown currency has none, and is refused when it is sized."""
    try:
        return rate_pair(instrument)
    except NoRate:
        return None
