"""What followers read of a trade's events, made from what their rows hold."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from signals_app.confluence.parameters import Parameters
from tests.trades_app.examples import ENTRY, GOLD, SIGNAL, bids
from trades_app.lifecycle import machine
from trades_app.lifecycle.trade import CloseOrder, Trade, TradeEvent
from trades_app.notifications.content import trade_events
from trades_app.notifications.content.trade_events import ANNOUNCED, TradeUpdate


def written(trade: Trade, event: TradeEvent, **more: Any) -> str:
    """The text of an update, of whose data a JSON column keeps everything."""
    kept = json.dumps(msgspec.to_builtins(TradeUpdate(trade, event, GOLD, **more)))
    return trade_events.text(json.loads(kept))


def test_the_first_target_names_the_half_and_break_even() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, events = machine.advance(trade, GOLD, bids(2050.0, 2055.1))

    text = written(trade, events[0])

    assert text == (
        "🎯 TP1 reached at 2,055.00\n"
        "XAUUSD BUY · XAU_20240105_001\n"
        "Closed 0.25 lots: +$237.50 (+95 pips)\n"
        "The stop moves to break-even, 2,045.50\n"
        "⏰ 2024-01-05 14:30:02 UTC"
    )
    assert events[1].kind not in ANNOUNCED


def test_a_lot_too_small_to_split_closes_nothing_at_the_first_target() -> None:
    smallest = replace(SIGNAL, position_size=Decimal("0.01"))
    trade, _ = machine.open_trade(smallest, GOLD, ENTRY, Parameters())
    trade, events = machine.advance(trade, GOLD, bids(2055.1))

    assert written(trade, events[0]) == (
        "🎯 TP1 reached at 2,055.00\n"
        "XAUUSD BUY · XAU_20240105_001\n"
        "Nothing closed: the lot is too small to split\n"
        "The stop moves to break-even, 2,045.50\n"
        "⏰ 2024-01-05 14:30:01 UTC"
    )


def test_the_last_event_names_the_result_losses_included() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, events = machine.advance(trade, GOLD, bids(2050.0, 2040.0))

    assert written(trade, events[0]) == (
        "🛑 Stop reached at 2,040.00\n"
        "XAUUSD BUY · XAU_20240105_001\n"
        "Closed 0.5 lots: -$275.00 (-55 pips)\n"
        "Result: -$275.00 (-55 pips) = -1 R\n"
        "⏰ 2024-01-05 14:30:02 UTC"
    )


def test_what_happens_to_a_trade_on_made_up_prices_says_so_first() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, events = machine.advance(trade, GOLD, bids(2050.0, 2040.0))

    text = written(trade, events[0], is_simulated=True)
    assert text.splitlines()[:2] == [
        "🧪 SIMULATED FEED: these prices are made up 🧪",
        "🛑 Stop reached at 2,040.00",
    ]


def test_an_update_that_was_found_late_says_so_at_its_end() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, events = machine.advance(trade, GOLD, bids(2040.0))

    assert written(trade, events[0], found_late_seconds=600).splitlines()[-1] == (
        "⏳ Found 10 min late: its ticks came after the feed had been cut off"
    )


@pytest.mark.parametrize(
    ("hours", "order", "says"),
    [
        (0.0001, None, "⌛ Closed: its time was over at 2,050.00"),
        (None, CloseOrder(10, ENTRY.time_ms), "✋ Closed by hand at 2,050.00"),
    ],
)
def test_a_trade_that_no_price_ended_says_what_did(
    hours: float | None, order: CloseOrder | None, says: str
) -> None:
    parameters = Parameters(maximum_trade_hours=hours)
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, parameters)
    trade, events = machine.advance(replace(trade, close_order=order), GOLD, bids(2050.0))

    assert written(trade, events[0]).splitlines()[0] == says


def test_what_is_not_announced_has_no_text() -> None:
    trade, events = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    assert not ANNOUNCED & {event.kind for event in events}
    with pytest.raises(KeyError):
        written(trade, events[0])
