"""Drawing trades again: seeded, and about what the trades themselves say."""

from decimal import Decimal

import numpy as np
import pytest

from reports_app.assessment.assessment import expected_maximum
from reports_app.assessment.monte_carlo import Interval, monte_carlo
from reports_app.performance.equity import Equity, equity_of
from reports_app.performance.statistics import TradeResult


def equity(*profits: float) -> Equity:
    time_ms = np.arange(len(profits), dtype=np.int64)
    return Equity(1000.0, time_ms, 1000.0 + np.cumsum(np.array(profits)))


def test_the_deepest_fall_is_counted_from_the_highest_balance_before_it() -> None:
    found = equity(100.0, 100.0, -300.0, 500.0)

    assert found.drawdowns.tolist() == [0.0, 0.0, 25.0, 0.0]
    assert found.maximum_drawdown == 25.0
    assert equity(-100.0).maximum_drawdown == pytest.approx(10.0)
    assert equity().maximum_drawdown == 0.0


def result(profit: int, closed_ms: int) -> TradeResult:
    return TradeResult(
        signal_id=f"XAU_{closed_ms}",
        instrument="XAUUSD",
        direction="BUY",
        session="LONDON",
        setup_type="ORDER_BLOCK",
        signalled_ms=0,
        opened_ms=0,
        closed_ms=closed_ms,
        profit_loss=Decimal(profit),
        profit_loss_pips=Decimal(0),
        r_multiple=Decimal(1),
        risk_reward_ratio=2.0,
    )


def test_an_account_that_lost_everything_stays_at_zero() -> None:
    profits = (200, -1500, 4000, *(10,) * 9)
    ruined = equity_of([result(profit, place) for place, profit in enumerate(profits)], 1000.0)

    assert ruined.balance.tolist() == [1200.0, *(0.0,) * 11]
    assert ruined.ruined_ms == 1
    assert ruined.maximum_drawdown == 100.0
    assert monte_carlo(ruined, np.ones(12), seed=1) is None


def test_an_account_that_lives_is_not_ruined() -> None:
    assert equity_of([result(-999, 1)], 1000.0).ruined_ms is None


def test_ten_equal_trades_come_out_one_way_only() -> None:
    # Each wins one percent of what was there.
    balance = 1000.0 * 1.01 ** np.arange(1, 11)
    always = Equity(1000.0, np.arange(10, dtype=np.int64), balance)

    found = monte_carlo(always, np.ones(10), seed=1, draws=300)

    assert found is not None
    assert found.r == Interval(1.0, 1.0, 1.0)
    assert found.profit.low == pytest.approx(balance[-1] - 1000.0)
    assert found.profit.high == pytest.approx(balance[-1] - 1000.0)
    assert (found.drawdown.high, found.losing_share) == (0.0, 0.0)


def test_the_same_seed_draws_the_same() -> None:
    market = equity(*(10.0, -10.0, 25.0, -10.0) * 5)
    r = np.array([1.0, -1.0, 2.5, -1.0] * 5)

    assert monte_carlo(market, r, seed=1) == monte_carlo(market, r, seed=1)
    assert monte_carlo(market, r, seed=1) != monte_carlo(market, r, seed=2)


def test_nothing_is_said_of_nine_trades() -> None:
    assert monte_carlo(equity(*[1.0] * 9), np.ones(9), seed=1) is None


def test_the_best_of_many_tries_is_better_than_one() -> None:
    assert expected_maximum(1) == 0.0
    assert expected_maximum(10) == pytest.approx(1.57, abs=0.01)
    assert expected_maximum(100) == pytest.approx(2.53, abs=0.01)
