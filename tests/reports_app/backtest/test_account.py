"""The backtest's account: the same exposure as from all its trades, remembered or settled."""

from dataclasses import replace
from decimal import Decimal

import pytest

from reports_app.backtest.account import BacktestAccount
from signals_app.confluence.parameters import Parameters
from signals_app.market.tick import Tick
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SIGNAL, bids
from trades_app.lifecycle.exposure import exposure_before
from trades_app.lifecycle.machine import advance

DAY_MS = 86_400_000


def lost(account: BacktestAccount) -> None:
    account.move(lambda trade: advance(trade, GOLD, bids(2039.0)))


def later(days: int) -> Tick:
    return Tick(1_000 + days, CLOSE_MS + days * DAY_MS, 2048.0, 2048.2)


@pytest.fixture
def account() -> BacktestAccount:
    return BacktestAccount(GOLD, Parameters())


def test_a_trade_is_open_until_a_tick_closes_it(account: BacktestAccount) -> None:
    assert not account.has_open_trades

    account.open(SIGNAL, ENTRY, None)
    assert account.has_open_trades
    lost(account)

    assert not account.has_open_trades
    ((trade, events),) = account.histories()
    assert (trade.is_open, events[0].kind.value) == (False, "OPENED")


def test_a_trade_that_is_over_is_not_moved_again(account: BacktestAccount) -> None:
    account.open(SIGNAL, ENTRY, None)
    lost(account)
    before = account.histories()

    lost(account)

    assert account.histories() == before


@pytest.mark.parametrize("days", [0, 1, 2, 30])
def test_what_was_settled_long_ago_counts_in_the_balance_alone(
    account: BacktestAccount, days: int
) -> None:
    account.open(SIGNAL, ENTRY, None)
    lost(account)
    account.open(replace(SIGNAL, signal_id="XAU_20240105_002"), replace(ENTRY, ordinal=12), None)
    account.move(lambda trade: advance(trade, GOLD, bids(2050.0, first_ordinal=13)))

    found = account.exposure_before(later(days))

    of_all = exposure_before(
        later(days).ordinal,
        later(days).time_ms,
        list(account.histories()),
        GOLD,
        Parameters(),
        Decimal(0),
    )
    # A loss so old that it was settled cools nothing down any more.
    assert found in (of_all, replace(of_all, last_loss_time_ms=None))
    assert (found.last_loss_time_ms is None) == (days >= 2)
    assert found.open_trades == 1
    assert found.balance < GOLD.starting_balance
