"""The next candle that changes a trade, found by hand and at the ends of what there is."""

import numpy as np
import pytest

from reports_app.assessment.touches import next_touched

FAR = 10**15


def touched(
    rows: list[tuple[float, float, float]], *, sign: int = 1, spread: float = 0.0, expiry: int = FAR
) -> int:
    """Entered at 100 on the first of some candles, its stop and its target 5 away."""
    (found,) = next_touched(
        np.arange(len(rows), dtype=np.int64),
        np.array(rows, dtype=np.float64).T.copy(),
        np.array([0]),
        np.array([100.0]),
        np.array([sign]),
        np.array([spread]),
        np.array([expiry]),
        np.array([-5.0]),
        np.array([5.0]),
    ).tolist()
    return found


QUIET = (100.0, 104.9, 95.1)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "candle", [(100.0, 105.0, 99.0), (100.0, 101.0, 95.0), (106.0, 107.0, 104.0)]
)
def test_a_level_is_touched_by_the_extremes_and_by_the_open(candle, sign: int) -> None:
    assert touched([QUIET, QUIET, candle, QUIET], sign=sign) == 2


def test_what_touches_nothing_ends_with_the_last_candle() -> None:
    assert touched([QUIET] * 4) == 3


def test_an_expired_trade_is_not_looked_at_further() -> None:
    assert touched([QUIET] * 4, expiry=2) == 2


def test_a_sell_buys_back_at_the_ask() -> None:
    almost = (100.0, 104.9, 99.0)

    assert touched([QUIET, almost, QUIET], sign=-1, spread=0.0) == 2
    assert touched([(100.0, 101.0, 99.0), almost, QUIET], sign=-1, spread=0.2) == 1
