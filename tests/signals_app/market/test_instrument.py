"""The price grid, pips and lots."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from signals_app.market.instrument import DEFAULT_INSTRUMENTS, as_decimal, quantise
from signals_app.market.tick import quantise_all

GOLD = DEFAULT_INSTRUMENTS[0]


@given(st.integers(1, 100_000_000_000_000))
def test_a_price_of_five_decimals_is_on_the_grid_already(points: int) -> None:
    text = f"{points / 100_000:.5f}"

    assert quantise(float(text)) == float(text)
    assert as_decimal(float(text)) == Decimal(text)


@given(st.lists(st.floats(0.0001, 1e9), min_size=1))
def test_columns_are_put_on_the_grid_as_single_prices_are(prices: list[float]) -> None:
    assert quantise_all(np.array(prices)).tolist() == [quantise(price) for price in prices]


def test_a_pip_of_gold_is_a_tenth() -> None:
    assert GOLD.pips(5.5) == 55.0


def test_lots_are_rounded_down_and_nothing_is_left_below_the_smallest() -> None:
    assert GOLD.whole_lots(Decimal("0.179")) == Decimal("0.17")
    assert GOLD.whole_lots(Decimal("0.009")) == Decimal(0)
    assert GOLD.whole_lots(Decimal(99)) == Decimal(50)


def test_people_read_prices_with_their_own_digits() -> None:
    assert GOLD.show(2045.5) == "2,045.50"
    assert DEFAULT_INSTRUMENTS[1].show(Decimal("1.08")) == "1.08000"
