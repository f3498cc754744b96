"""What events alone say of a trade."""

from dataclasses import replace

import pytest

from signals_app.confluence.parameters import Parameters
from tests.trades_app.examples import GOLD, SIGNAL
from tests.trades_app.lives import COSTLY, lives
from trades_app.lifecycle.machine import plan_trade
from trades_app.lifecycle.replay import replay
from trades_app.lifecycle.trade import EventKind
from trades_app.lifecycle.transitions import InvalidTransition


def test_events_of_every_kind_of_life_make_the_trade_that_they_came_from() -> None:
    for signal, trade, events in lives():
        plans = (plan_trade(signal, GOLD, parameters) for parameters in (Parameters(), COSTLY))
        planned = next(plan for plan in plans if plan.costs == trade.costs)

        # What an operator ordered is no event.
        assert replay(planned, GOLD, events) == replace(trade, close_order=None)


def test_an_event_that_does_not_follow_is_refused() -> None:
    _, _, events = next(lives())
    planned = plan_trade(SIGNAL, GOLD, Parameters())

    with pytest.raises(InvalidTransition, match="no MONITORING_STARTED while SIGNAL_GENERATED"):
        replay(planned, GOLD, events[1:])
    with pytest.raises(InvalidTransition):
        replay(planned, GOLD, [replace(events[0], kind=EventKind.CANCELLED)])
