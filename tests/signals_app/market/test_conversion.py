"""Which pair turns which money into the account's, and which price of it is a day's rate."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals_app.market.built_in import BUILT_IN, CURRENCIES, guessed_instrument
from signals_app.market.calendar import DAY_MS, HOUR_MS, milliseconds
from signals_app.market.candle import Candle, Candles, Timeframe
from signals_app.market.conversion import (
    ANY_RATES,
    NO_RATES,
    DailyRates,
    NoRate,
    RatePair,
    rate_pair,
    to_account,
)

D = Decimal


def at(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))


def hours(*closes: tuple[str, float], timeframe: Timeframe = Timeframe.H1) -> Candles:
    """Candles of the given openings and closes."""
    return Candles.of(Candle(at(opened), price, price, price, price, 1) for opened, price in closes)


@pytest.mark.parametrize(
    ("symbol", "pair"),
    [
        ("XAUUSD", None),
        ("BTCUSD", None),
        ("USDCAD", None),
        ("USDJPY", None),
        ("EURGBP", RatePair("GBPUSD", is_inverse=False)),
        ("EURJPY", RatePair("USDJPY", is_inverse=True)),
        ("GBPCHF", RatePair("USDCHF", is_inverse=True)),
        ("AUDNZD", RatePair("NZDUSD", is_inverse=False)),
        ("XAUEUR", RatePair("EURUSD", is_inverse=False)),
        ("GER40", RatePair("EURUSD", is_inverse=False)),
        ("UK100", RatePair("GBPUSD", is_inverse=False)),
        ("JP225", RatePair("USDJPY", is_inverse=True)),
    ],
)
def test_the_pair_of_a_currency_is_the_one_that_is_traded(
    symbol: str, pair: RatePair | None
) -> None:
    assert rate_pair(BUILT_IN[symbol]) == pair


def test_every_pair_that_a_built_in_instrument_needs_is_built_in_too() -> None:
    pairs = {pair.symbol for pair in map(rate_pair, BUILT_IN.values()) if pair is not None}
    assert pairs <= BUILT_IN.keys()


@given(st.sampled_from(sorted(CURRENCIES - {"USD"})), st.decimals("0.01", "20000", places=5))
def test_no_currency_is_ever_taken_for_the_accounts(currency: str, rate: Decimal) -> None:
    cross = replace(BUILT_IN["GER40"], quote_currency=currency)

    with pytest.raises(
        NoRate, match=f"GER40 is quoted in {currency}, and no price of .*{currency}"
    ):
        to_account(cross, D(100), D(1))
    assert to_account(cross, D(100), D(1), rate) in (100 * rate, 100 / rate)


def test_what_nobody_said_has_no_rate() -> None:
    with pytest.raises(NoRate, match="COCOA is new: say in the admin what it is quoted in"):
        to_account(guessed_instrument("COCOA"), D(1), D(1), D(1))
    with pytest.raises(NoRate, match="XYZ, which is no currency known here"):
        rate_pair(replace(BUILT_IN["GER40"], quote_currency="XYZ"))


def test_dollars_in_a_name_are_no_rate() -> None:
    index = replace(BUILT_IN["GER40"], symbol="USDOLLAR")
    with pytest.raises(NoRate, match="no price of EURUSD"):
        to_account(index, D(1), D(12_000))


def test_a_rate_is_the_last_price_before_the_day_and_stays_all_day() -> None:
    rates = DailyRates.of(
        {
            Timeframe.H1: hours(
                ("2024-01-08T22:00Z", 1.26), ("2024-01-08T23:00Z", 1.27), ("2024-01-09T00:00Z", 1.3)
            )
        }
    )
    assert rates.at(at("2024-01-09T00:00Z")) == D("1.27000")
    assert rates.at(at("2024-01-09T23:45Z")) == D("1.27000")
    assert rates.at(at("2024-01-10T00:00Z")) == D("1.30000")
    assert rates.at(at("2024-01-08T23:45Z")) is None


def test_a_week_without_prices_has_no_rate() -> None:
    rates = DailyRates.of({Timeframe.H1: hours(("2024-01-08T23:00Z", 1.27))})
    assert rates.at(at("2024-01-16T12:00Z")) == D("1.27000")
    assert rates.at(at("2024-01-17T12:00Z")) is None
    assert NO_RATES.at(at("2024-01-09T12:00Z")) is None
    assert ANY_RATES.at(0) == 1


@given(st.lists(st.floats(0.5, 2.0), min_size=24, max_size=24), st.integers(1, DAY_MS))
def test_candles_of_any_length_say_the_same(prices: list[float], inside: int) -> None:
    # Of one day's hours: M15 and H4 that the same ticks made end at midnight with the same price.
    day = at("2024-01-08T00:00Z")
    closes = [round(price, 5) for price in prices]

    def candles(timeframe: Timeframe, every: int) -> DailyRates:
        step = timeframe.milliseconds
        ends = [(n + 1) * HOUR_MS for n in range(24) if (n + 1) % every == 0]
        columns = Candles.of(
            Candle(day + end - step, *([closes[end // HOUR_MS - 1]] * 4), 1) for end in ends
        )
        return DailyRates.of({timeframe: columns})

    found = {
        candles(timeframe, every).at(day + DAY_MS + inside - 1)
        for timeframe, every in ((Timeframe.M15, 1), (Timeframe.H1, 1), (Timeframe.H4, 4))
    }
    assert found == {D(f"{closes[-1]:.5f}")}
