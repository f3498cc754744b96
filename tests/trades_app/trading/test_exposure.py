"""The account before a tick, read from the database."""

from decimal import Decimal

import pytest

from signals_app.confluence.parameters import Parameters
from signals_app.market.tick import Tick
from tests.trades_app.examples import CLOSE_MS, GOLD, SIGNAL
from tests.trades_app.rows import DAY_MS, numbered, stored_trade
from trades_app.trading.exposure import exposure_before

pytestmark = pytest.mark.django_db


def test_trades_of_long_ago_count_by_their_profit_alone() -> None:
    stored_trade(SIGNAL, 2039.0)
    stored_trade(numbered(1, days=14))
    later = Tick(30, CLOSE_MS + 14 * DAY_MS + 900_000, 2048.0, 2048.2)

    seen = exposure_before(GOLD, Parameters(), later)

    assert seen.balance == GOLD.starting_balance - Decimal(325)
    assert (seen.open_trades, len(seen.traded_zones), seen.last_loss_time_ms) == (1, 1, None)


def test_a_tick_sees_nothing_of_what_came_with_it_or_later() -> None:
    stored_trade(SIGNAL, 2039.0)

    seen = exposure_before(GOLD, Parameters(), Tick(11, CLOSE_MS + 1000, 2039.0, 2039.2))

    assert (seen.balance, seen.open_trades) == (GOLD.starting_balance, 1)
