"""A strategy in shadow has an account of its own."""

import pytest

from signals_app.confluence.parameters import Parameters
from signals_app.market.tick import Tick
from signals_app.models import Strategy
from tests.trades_app.examples import CLOSE_MS, GOLD, SIGNAL
from tests.trades_app.rows import DAY_MS, stored_trade
from tests.trades_app.shadow.rows import shadow_trade
from trades_app.shadow.account import ShadowAccount

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ShadowAccount:
    strategy = Strategy.objects.create(name="default", version=2, status=Strategy.Status.SHADOW)
    return ShadowAccount(strategy, Parameters(), GOLD, is_active=True)


def test_it_knows_its_own_trades_alone(account: ShadowAccount) -> None:
    live = stored_trade(SIGNAL, 2039.0)
    later = Tick(99, CLOSE_MS + 30 * DAY_MS, 2048.0, 2048.2)
    assert account.exposure_before(later).balance == GOLD.starting_balance

    shadow_trade(account.strategy, live)

    assert account.exposure_before(later).balance == GOLD.starting_balance + live.profit_loss


def test_signals_are_numbered_by_the_utc_day_of_their_close(account: ShadowAccount) -> None:
    shadow_trade(account.strategy, stored_trade(SIGNAL, 2039.0))

    assert account.next_number(CLOSE_MS + 900_000) == 2
    assert account.next_number(CLOSE_MS + DAY_MS) == 1


def test_what_failed_counts_nowhere_but_keeps_its_number(account: ShadowAccount) -> None:
    row = shadow_trade(account.strategy, stored_trade(SIGNAL, 2039.0))
    row.failure = "ValueError()"
    row.save()

    assert not account.trades.exists()
    assert account.next_number(CLOSE_MS + 900_000) == 2
