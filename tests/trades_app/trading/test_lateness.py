"""Events found long after their tick say so, where the feed was live before."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from signals_app.market import calendar
from signals_app.models import Decision
from tests.trades_app.examples import CLOSE_MS, bids
from tests.trades_app.rows import decided, stored_trade
from trades_app import models
from trades_app.notifications.kinds import text_of
from trades_app.trading.moving import move_trades

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_hours_later() -> Iterator[datetime]:
    """The clock says that the example's first tick after the entry was two hours ago."""
    now = calendar.utc(CLOSE_MS + 1000) + timedelta(hours=2, minutes=3)
    with time_machine.travel(now, tick=False):
        yield now


def test_a_stop_found_after_an_outage_is_closed_at_its_tick_and_says_so(
    two_hours_later: datetime,
) -> None:
    trade = stored_trade()
    decided(Decision.Outcome.SIGNAL)

    move_trades("XAUUSD", bids(2039.0))

    trade.refresh_from_db()
    assert (trade.exit_time, trade.exit_price) == (
        calendar.utc(CLOSE_MS + 1000),
        Decimal("2039.00000"),
    )
    late = list(trade.events.values_list("kind", "found_late_seconds"))
    assert late[2:] == [("SL_HIT", 7380), ("CLOSED", 7380)]
    (message,) = models.Message.objects.all()
    assert text_of(message).splitlines()[-1].startswith("⏳ Found 2 h 03 min late")


@pytest.mark.parametrize("stored_after", [timedelta(days=700), -timedelta(days=1)])
def test_a_replay_is_never_late(two_hours_later: datetime, stored_after: timedelta) -> None:
    trade = stored_trade()
    decided(Decision.Outcome.SIGNAL, stored_after=stored_after)

    move_trades("XAUUSD", bids(2039.0))

    assert set(trade.events.values_list("found_late_seconds", flat=True)) == {None}


def test_a_tick_on_time_is_not_late() -> None:
    trade = stored_trade()
    decided(Decision.Outcome.SIGNAL)

    with time_machine.travel(calendar.utc(CLOSE_MS + 5000), tick=False):
        move_trades("XAUUSD", bids(2039.0))

    assert set(trade.events.values_list("found_late_seconds", flat=True)) == {None}
