"""The connector's price grid is the core's: neither may import the other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mt5_bridge.protocol.quotes import quantise
from signals_app.market.tick import quantise_all


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=20))
def test_prices_lie_on_one_grid_bit_for_bit(prices):
    column = np.array(prices, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        assert quantise(column).tobytes() == quantise_all(column).tobytes()
