"""Rates of the live pipeline: from the pair's stored candles, once its stream has come so far."""

from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from signals_app.market.built_in import BUILT_IN
from signals_app.market.calendar import DAY_MS, HOUR_MS
from signals_app.market.candle import Candle, Timeframe
from signals_app.models import PriceCandle, StreamPosition
from signals_app.services.rates import LiveRates, awaited_pair

pytestmark = pytest.mark.django_db

MIDNIGHT = 1_704_844_800_000  # Wednesday 2024-01-10
NOON = MIDNIGHT + 12 * HOUR_MS


def priced(symbol: str, end_ms: int, price: float, timeframe: Timeframe = Timeframe.M15) -> None:
    candle = Candle(end_ms - timeframe.milliseconds, price, price, price, price, 1)
    PriceCandle.objects.bulk_create(
        PriceCandle.of(symbol, timeframe, [candle], PriceCandle.Source.TICKS)
    )


def at_tick(symbol: str, time_ms: int, watermark_ms: int = 0) -> None:
    StreamPosition.objects.update_or_create(
        instrument=symbol, defaults={"time_ms": time_ms, "watermark_ms": watermark_ms}
    )


def test_the_last_candle_before_midnight_counts_whatever_its_length(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    priced("GBPUSD", MIDNIGHT - HOUR_MS, 1.25, Timeframe.H4)
    priced("GBPUSD", MIDNIGHT, 1.27)
    priced("GBPUSD", MIDNIGHT + HOUR_MS, 1.30)
    rates = LiveRates(BUILT_IN["EURGBP"])
    with django_assert_num_queries(1):
        assert rates.at(NOON) == rates.at(MIDNIGHT) == Decimal("1.27000")
    assert rates.at(MIDNIGHT - 1) is None


def test_what_needs_no_rate_asks_nothing(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        for symbol in ("XAUUSD", "USDJPY"):
            assert LiveRates(BUILT_IN[symbol]).at(NOON) is None
            assert not LiveRates(BUILT_IN[symbol]).is_awaited(NOON)


@pytest.mark.parametrize(
    ("own_ms", "pairs_ms", "watermark_ms", "is_awaited"),
    [
        (NOON, MIDNIGHT - 1, 0, True),
        (NOON, MIDNIGHT, 0, False),
        (NOON, MIDNIGHT - 1, MIDNIGHT, False),
        # A pair whose feed ended holds its crosses up for a day, one that ended long ago for none.
        (MIDNIGHT + DAY_MS - 1, MIDNIGHT - 1, 0, True),
        (MIDNIGHT + DAY_MS, MIDNIGHT - 1, 0, False),
        (NOON, MIDNIGHT - 8 * DAY_MS, 0, False),
    ],
)
def test_a_close_waits_for_its_pair_to_come_to_the_day(
    own_ms: int, pairs_ms: int, watermark_ms: int, is_awaited: bool
) -> None:
    at_tick("EURGBP", own_ms)
    at_tick("GBPUSD", pairs_ms, watermark_ms)
    assert LiveRates(BUILT_IN["EURGBP"]).is_awaited(NOON) is is_awaited
    assert awaited_pair(BUILT_IN["EURGBP"], NOON) == ("GBPUSD" if is_awaited else None)


def test_a_pair_that_is_not_fed_is_not_waited_for() -> None:
    at_tick("EURGBP", NOON)
    assert not LiveRates(BUILT_IN["EURGBP"]).is_awaited(NOON)
