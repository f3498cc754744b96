"""Shadow trades are moved with the live ones, and hold them up in nothing."""

import pytest

from signals_app.models import Strategy
from tests.trades_app.examples import bids
from tests.trades_app.rows import stored_trade
from tests.trades_app.shadow.rows import shadow_trade
from trades_app.models import ShadowTrade
from trades_app.shadow import trading

pytestmark = pytest.mark.django_db


def test_ticks_move_the_open_ones_and_one_that_cannot_be_moved_is_given_up() -> None:
    live, strategy = stored_trade(), Strategy.objects.live()
    other = Strategy.objects.create(name="default", version=2, status=Strategy.Status.SHADOW)
    sound, broken = shadow_trade(strategy, live), shadow_trade(other, live)
    ShadowTrade.objects.filter(pk=broken.pk).update(trade={})

    trading.move("EURUSD", bids(2039.0))
    assert ShadowTrade.objects.open().count() == 2
    trading.move("XAUUSD", bids(2039.0))

    sound.refresh_from_db()
    broken.refresh_from_db()
    assert (sound.is_open, sound.value().exit_reason, sound.failure) == (False, "SL_HIT", "")
    assert not broken.is_open
    assert "ValidationError" in broken.failure
