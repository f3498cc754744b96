"""What the table of transitions holds happens, and nothing else."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from signals_app.confluence.parameters import Parameters
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SELL_SIGNAL, SIGNAL
from trades_app.lifecycle.machine import (
    open_trade,
)
from trades_app.lifecycle.trade import (
    EventKind,
    Moment,
    TradeStatus,
)
from trades_app.lifecycle.transitions import TRANSITIONS, InvalidTransition, apply_event

D = Decimal
DEFAULTS = Parameters()
BUY, _ = open_trade(SIGNAL, GOLD, ENTRY, DEFAULTS)
SELL, _ = open_trade(SELL_SIGNAL, GOLD, ENTRY, DEFAULTS)


EVERY_PAIR = pytest.mark.parametrize(
    ("status", "kind"), list(product(TradeStatus, EventKind)), ids=lambda name: name.value
)


@EVERY_PAIR
def test_what_the_table_does_not_hold_cannot_happen(status: TradeStatus, kind: EventKind) -> None:
    trade = replace(BUY, status=status)

    if (status, kind) in TRANSITIONS:
        after, event = apply_event(trade, kind, Moment(CLOSE_MS, 12))
        assert (event.kind, event.before, event.after) == (kind, status, TRANSITIONS[status, kind])
        assert after == replace(trade, status=TRANSITIONS[status, kind], moved_ordinal=12)
    else:
        with pytest.raises(InvalidTransition, match=f": no {kind} while {status}$"):
            apply_event(trade, kind, Moment(CLOSE_MS, 12))


def test_every_status_is_reached_and_every_end_is_an_end() -> None:
    reached = set(TRANSITIONS.values()) | {TradeStatus.SIGNAL_GENERATED}
    left = {before for before, _ in TRANSITIONS}

    assert reached == set(TradeStatus)
    assert set(TradeStatus) - left == {TradeStatus.TRADE_CLOSED, TradeStatus.CANCELLED}
