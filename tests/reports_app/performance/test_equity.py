"""The balance from trade to trade, its falls, and ruin."""

import numpy as np
import pytest

from reports_app.performance.equity import equity_of
from tests.reports_app.performance.test_statistics import ALL, LOST, LOST_LATER, OPEN, WON


def test_closed_trades_are_added_up_in_order_of_closing() -> None:
    equity = equity_of(ALL, 1000.0)

    assert equity.balance.tolist() == [1150.0, 1050.0, 990.0, 990.0]
    assert np.all(np.diff(equity.time_ms) >= 0)
    assert equity.ruined_ms is None
    assert equity.growths.tolist() == pytest.approx([1.15, 1050 / 1150, 990 / 1050, 1.0])


def test_the_deepest_fall_is_measured_from_the_highest_balance() -> None:
    assert equity_of([WON, LOST], 1000.0).maximum_drawdown == pytest.approx(100 * 100 / 1150)
    assert equity_of([LOST], 1000.0).maximum_drawdown == pytest.approx(10.0)
    assert equity_of([OPEN], 1000.0).maximum_drawdown == 0.0


def test_an_account_that_lost_everything_stays_at_zero() -> None:
    equity = equity_of([LOST, LOST_LATER], 90.0)

    assert equity.balance.tolist() == [0.0, 0.0]
    assert (equity.ruined_ms, equity.maximum_drawdown) == (LOST.closed_ms, 100.0)
