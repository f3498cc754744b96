"""Timeframes, and candles held as columns."""

from signals_app.market.candle import Candle, Candles, Timeframe
from signals_app.market.direction import Direction

HOUR_MS = 3_600_000


def hours(count: int) -> list[Candle]:
    return [
        Candle(place * HOUR_MS, open=10.0, high=12.0 + place, low=9.0, close=11.0, volume=5.0)
        for place in range(count)
    ]


def test_a_candle_opens_on_a_multiple_of_its_length() -> None:
    # 1970-01-01 05:59:59.999 UTC.
    last_ms = 6 * HOUR_MS - 1

    assert Timeframe.H4.opening(last_ms) == 4 * HOUR_MS
    assert Timeframe.M15.opening(last_ms) == 5 * HOUR_MS + 45 * 60_000
    assert Timeframe.D1.opening(last_ms) == 0


def test_candles_go_into_columns_and_come_back() -> None:
    rows = hours(3)
    candles = Candles.of(rows)

    assert list(candles) == rows
    assert candles[2] == rows[2]
    assert candles.high.tolist() == [12.0, 13.0, 14.0]


def test_no_candles_are_empty_columns() -> None:
    assert len(Candles.of([])) == 0


def test_a_window_ends_before_a_place_and_may_be_shorter() -> None:
    rows = hours(5)
    candles = Candles.of(rows)

    assert list(candles.window(4, size=2)) == rows[2:4]
    assert list(candles.window(1, size=2)) == rows[:1]


def test_the_move_that_earns_is_up_for_buy_and_down_for_sell() -> None:
    assert (Direction.BUY.sign, Direction.SELL.sign) == (1, -1)


def test_candles_are_followed_by_later_ones() -> None:
    rows = hours(5)
    joined = Candles.of(rows[:2]).followed_by(Candles.of(rows[2:]))

    assert list(joined) == rows
    assert list(Candles.of(()).followed_by(joined)) == rows
