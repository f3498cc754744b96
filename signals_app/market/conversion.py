"""From the currency that an instrument is quoted in to the account's: by which pair, at which rate.

docs/decisions/0009-one-rate-a-day.md says why a rate is a day's and not a moment's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from signals_app.market.built_in import CURRENCIES
from signals_app.market.calendar import DAY_MS
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.instrument import Instrument, as_decimal
from signals_app.market.tick import Float64s, Int64s

ACCOUNT_CURRENCY = "USD"
#: An older price is no rate: over holidays and weekends markets are closed for a few days.
MAXIMUM_AGE_MS = 7 * DAY_MS
#: Currencies that are quoted in dollars; dollars are quoted in the others.
_QUOTED_IN_DOLLARS = frozenset(("EUR", "GBP", "AUD", "NZD"))


class NoRate(ValueError):  # noqa: N818 - it says what is missing
    """What one unit of the quote currency is worth is not known; the text is for the operator."""


@dataclass(frozen=True, slots=True)
class RatePair:
    """The pair whose price turns a quote currency into account currency.

    With `is_inverse` amounts are divided by that price, else multiplied.
    """

    symbol: str
    is_inverse: bool


def rate_pair(instrument: Instrument) -> RatePair | None:
    """The pair that turns the instrument's money into account currency.

    `None` where none is needed: it is quoted in account currency, or its own price is the rate
    (USDCAD). Raises `NoRate` for a currency that is not known.
    """
    currency = instrument.quote_currency
    if currency == ACCOUNT_CURRENCY or _is_own_rate(instrument):
        return None
    if currency not in CURRENCIES:
        said = f"quoted in {currency}, which is no currency known here" if currency else "new"
        raise NoRate(
            f"{instrument.symbol} is {said}: say in the admin what it is quoted in, "
            f"one of {', '.join(sorted(CURRENCIES))}"
        )
    if currency in _QUOTED_IN_DOLLARS:
        return RatePair(f"{currency}{ACCOUNT_CURRENCY}", is_inverse=False)
    return RatePair(f"{ACCOUNT_CURRENCY}{currency}", is_inverse=True)


def to_account(
    instrument: Instrument, amount: Decimal, price: Decimal, rate: Decimal | None = None
) -> Decimal:
    """``amount`` of the quote currency in account currency, not rounded.

    Where the account's currency is the instrument's base (USDCAD) ``price`` itself is the rate;
    ``rate`` is the price of its `rate_pair`. Raises `NoRate` where that is needed and `None`.
    """
    if instrument.quote_currency == ACCOUNT_CURRENCY:
        return amount
    if _is_own_rate(instrument):
        return amount / price
    pair = rate_pair(instrument)
    assert pair is not None
    if rate is None:
        raise NoRate(
            f"{instrument.symbol} is quoted in {instrument.quote_currency}, and no price of "
            f"{pair.symbol} is known of the week before the day began"
        )
    return amount / rate if pair.is_inverse else amount * rate


def rate_time_ms(close_time_ms: int) -> int:
    """The moment whose rate holds for a candle that closed then: the day's UTC midnight."""
    return close_time_ms - close_time_ms % DAY_MS


@dataclass(frozen=True, slots=True, eq=False)
class DailyRates:
    """Prices of a rate pair: the last of each candle, ordered by the moment that it ended at."""

    end_ms: Int64s
    close: Float64s

    @classmethod
    def of(cls, candles: Mapping[Timeframe, Candles]) -> "DailyRates":
        """The closes of all these candles."""
        ends = [columns.time_ms + length.milliseconds for length, columns in candles.items()]
        end_ms = np.concatenate([np.empty(0, dtype=np.int64), *ends])
        close = np.concatenate([np.empty(0), *(columns.close for columns in candles.values())])
        # Where several end together the shortest knows best; they say the same of the same ticks.
        longest_first = np.repeat(
            [-length.milliseconds for length in candles], [len(each) for each in candles.values()]
        )
        order = np.lexsort((longest_first, end_ms))
        return cls(end_ms[order], close[order])

    def at(self, close_time_ms: int) -> Decimal | None:
        """The rate for a candle that closed then, `None` where no price is young enough."""
        if self is ANY_RATES:
            return Decimal(1)
        midnight_ms = rate_time_ms(close_time_ms)
        place = int(np.searchsorted(self.end_ms, midnight_ms, side="right")) - 1
        if place < 0 or midnight_ms - int(self.end_ms[place]) > MAXIMUM_AGE_MS:
            return None
        return as_decimal(float(self.close[place]))


#: Of instruments that need none.
NO_RATES = DailyRates.of({})
#: For studies whose results are ratios of money: a price of 1 at any time.
ANY_RATES = DailyRates.of({})


def _is_own_rate(instrument: Instrument) -> bool:
    return instrument.symbol[:6].upper() == f"{ACCOUNT_CURRENCY}{instrument.quote_currency}"
