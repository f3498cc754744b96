"""The life of a trade, tick by tick."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import msgspec
import numpy as np
import pytest

from signals_app.confluence.parameters import Parameters
from signals_app.market.tick import Tick, Ticks
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SELL_SIGNAL, SIGNAL, bids
from trades_app.lifecycle.exported import trade_as_json
from trades_app.lifecycle.fills import finish, reach_target_1
from trades_app.lifecycle.machine import (
    advance,
    cancel,
    on_tick,
    open_trade,
    order_close,
    plan_trade,
)
from trades_app.lifecycle.trade import (
    OPEN_STATUSES,
    CloseOrder,
    EventKind,
    Moment,
    PartialClose,
    Trade,
    TradeEvent,
    TradeStatus,
)
from trades_app.lifecycle.transitions import EXITS, TRANSITIONS, InvalidTransition, apply_event

D = Decimal
DEFAULTS = Parameters()
BUY, _ = open_trade(SIGNAL, GOLD, ENTRY, DEFAULTS)
SELL, _ = open_trade(SELL_SIGNAL, GOLD, ENTRY, DEFAULTS)


def asks(*prices: float) -> Ticks:
    """Ticks of which the asks are given."""
    return bids(*(price - 0.2 for price in prices))


def test_a_trade_opens_at_the_quote_and_is_monitored() -> None:
    trade, events = open_trade(SIGNAL, GOLD, ENTRY, DEFAULTS)

    assert (trade.entry_price, SELL.entry_price) == (D("2045.5"), D("2045.3"))
    assert trade.status is TradeStatus.MONITORING
    assert trade.initial_risk == D("275.00")
    assert trade.expires_at_ms == ENTRY.time_ms + 120 * 3_600_000
    assert [(e.kind, e.before, e.after, e.ordinal) for e in events] == [
        (EventKind.OPENED, TradeStatus.SIGNAL_GENERATED, TradeStatus.TRADE_OPENED, 10),
        (EventKind.MONITORING_STARTED, TradeStatus.TRADE_OPENED, TradeStatus.MONITORING, 10),
    ]


def test_quiet_ticks_change_nothing() -> None:
    assert advance(BUY, GOLD, bids(2045.0, 2040.01, 2054.99)) == (BUY, ())


def test_stop_closes_everything_at_the_tick() -> None:
    trade, events = advance(BUY, GOLD, bids(2044.0, 2039.5, 2060.0))

    assert trade == replace(
        BUY,
        status=TradeStatus.TRADE_CLOSED,
        remaining_lots=D("0.00"),
        moved_ordinal=12,
        exit_time_ms=CLOSE_MS + 2000,
        exit_ordinal=12,
        exit_price=D("2039.5"),
        exit_reason=EventKind.SL_HIT,
        profit_loss=D("-300.00"),
        profit_loss_pips=D("-60.00"),
        partial_closes=(
            PartialClose(
                EventKind.SL_HIT,
                CLOSE_MS + 2000,
                12,
                D("2039.5"),
                D("0.50"),
                D("-300.00"),
                D("-60.00"),
            ),
        ),
    )
    assert events == (
        TradeEvent(
            EventKind.SL_HIT,
            TradeStatus.MONITORING,
            TradeStatus.SL_HIT,
            CLOSE_MS + 2000,
            12,
            D("2039.5"),
            D("0.50"),
            D("-300.00"),
            D("-60.00"),
            D("2040.0"),
        ),
        TradeEvent(
            EventKind.CLOSED,
            TradeStatus.SL_HIT,
            TradeStatus.TRADE_CLOSED,
            CLOSE_MS + 2000,
            12,
            None,
            D("0.00"),
            D("0.00"),
            D("0.00"),
            D("2040.0"),
        ),
    )
    assert trade.r_multiple == D("-1.09")


def test_buy_exits_at_the_bid_and_sell_at_the_ask() -> None:
    at_the_stop, _ = advance(BUY, GOLD, bids(2040.0))
    only_the_ask, _ = advance(BUY, GOLD, asks(2040.2 + 0.01))
    sell_stopped, _ = advance(SELL, GOLD, asks(2051.0))
    only_the_bid, _ = advance(SELL, GOLD, bids(2050.79))

    assert at_the_stop.exit_reason is sell_stopped.exit_reason is EventKind.SL_HIT
    assert only_the_ask.is_open
    assert only_the_bid.is_open


def test_first_target_closes_half_at_the_target_and_moves_the_stop_to_the_entry() -> None:
    trade, events = advance(BUY, GOLD, bids(2055.7))

    assert trade.status is TradeStatus.TP1_HIT
    assert (trade.remaining_lots, trade.stop_loss) == (D("0.25"), D("2045.5"))
    assert (trade.profit_loss, trade.profit_loss_pips) == (D("237.50"), D("47.50"))
    assert [(e.kind, e.price, e.lots, e.profit, e.stop_loss) for e in events] == [
        (EventKind.TP1_HIT, D("2055.0"), D("0.25"), D("237.50"), D("2040.0")),
        (EventKind.STOP_MOVED, None, D("0.00"), D("0.00"), D("2045.5")),
    ]


def test_second_target_closes_the_rest() -> None:
    trade, events = advance(BUY, GOLD, bids(2055.0, 2050.0, 2066.0))

    assert trade.exit_reason is EventKind.TP2_HIT
    assert trade.exit_price == D("2065.0")
    assert (trade.profit_loss, trade.profit_loss_pips) == (D("725.00"), D("145.00"))
    assert trade.r_multiple == D("2.64")
    assert [e.kind for e in events] == [
        EventKind.TP1_HIT,
        EventKind.STOP_MOVED,
        EventKind.TP2_HIT,
        EventKind.CLOSED,
    ]


def test_one_tick_beyond_both_targets_reaches_both_in_order() -> None:
    trade, events = advance(BUY, GOLD, bids(2070.0))

    assert trade.profit_loss == D("725.00")
    assert [(e.kind, e.ordinal) for e in events] == [
        (EventKind.TP1_HIT, 11),
        (EventKind.STOP_MOVED, 11),
        (EventKind.TP2_HIT, 11),
        (EventKind.CLOSED, 11),
    ]


def test_after_the_first_target_a_return_to_the_entry_ends_even() -> None:
    trade, _ = advance(BUY, GOLD, bids(2055.0, 2045.4))

    assert trade.exit_reason is EventKind.SL_HIT
    assert trade.exit_price == D("2045.4")
    assert trade.profit_loss == D("235.00")


def test_stop_wins_when_one_tick_reaches_stop_and_target() -> None:
    # No price is below the one and above the other; a stop moved by hand makes it possible.
    crossed = replace(BUY, stop_loss=D(2060))

    trade, _ = on_tick(crossed, GOLD, Tick(11, CLOSE_MS + 1000, 2058.0, 2058.2))

    assert trade.exit_reason is EventKind.SL_HIT


def test_odd_lots_leave_the_larger_half_for_the_second_target() -> None:
    trade, _ = open_trade(replace(SIGNAL, position_size=D("0.03")), GOLD, ENTRY, DEFAULTS)

    trade, _ = advance(trade, GOLD, bids(2055.0))

    assert trade.remaining_lots == D("0.02")


def test_the_smallest_lot_is_not_split_but_its_stop_moves() -> None:
    trade, _ = open_trade(replace(SIGNAL, position_size=D("0.01")), GOLD, ENTRY, DEFAULTS)

    at_first, events = advance(trade, GOLD, bids(2055.0))
    at_second, _ = advance(at_first, GOLD, bids(2065.0, first_ordinal=12))

    assert (at_first.remaining_lots, at_first.stop_loss) == (D("0.01"), D("2045.5"))
    assert at_first.partial_closes == ()
    assert [(e.kind, e.lots, e.profit) for e in events] == [
        (EventKind.TP1_HIT, D(0), D(0)),
        (EventKind.STOP_MOVED, D(0), D(0)),
    ]
    assert (at_second.profit_loss, at_second.profit_loss_pips) == (D("19.50"), D("195.00"))


def test_a_trade_expires_at_the_first_tick_from_its_last_moment_on() -> None:
    soon, _ = open_trade(SIGNAL, GOLD, ENTRY, replace(DEFAULTS, maximum_trade_hours=0.001))
    never, _ = open_trade(SIGNAL, GOLD, ENTRY, replace(DEFAULTS, maximum_trade_hours=None))

    # 3.6 seconds after the entry at +0.4 s.
    trade, events = advance(soon, GOLD, bids(2046.0, 2046.1, 2046.2, 2046.3, 2046.4))

    assert (trade.exit_reason, trade.exit_price) == (EventKind.EXPIRED, D("2046.3"))
    assert [e.after for e in events] == [TradeStatus.EXPIRED, TradeStatus.TRADE_CLOSED]
    assert never.expires_at_ms is None


def test_a_tick_that_expires_a_trade_may_reach_its_target_first() -> None:
    soon, _ = open_trade(SIGNAL, GOLD, ENTRY, replace(DEFAULTS, maximum_trade_hours=0.0))

    trade, events = advance(soon, GOLD, bids(2056.0))

    assert [e.kind for e in events] == [
        EventKind.TP1_HIT,
        EventKind.STOP_MOVED,
        EventKind.EXPIRED,
        EventKind.CLOSED,
    ]
    assert trade.profit_loss == D("237.50") + D("262.50")


def test_the_entry_tick_and_those_before_it_do_not_move_a_trade() -> None:
    assert advance(BUY, GOLD, bids(2030.0, 2030.0, first_ordinal=9)) == (BUY, ())


def test_the_same_ticks_twice_do_no_harm() -> None:
    ticks = bids(2045.4, 2055.0, 2050.0)
    once, _ = advance(BUY, GOLD, ticks)

    # The first tick is below the stop that stands at the entry now.
    assert advance(once, GOLD, ticks) == (once, ())


def test_a_trade_is_closed_by_hand_at_the_first_tick_after_the_order() -> None:
    ordered = order_close(BUY, CloseOrder(after_ordinal=12, from_ms=CLOSE_MS + 4000))

    # Ticks up to number 12 were used already; the third is of a time before the order.
    trade, events = advance(ordered, GOLD, bids(2051.0, 2052.0, 2050.0, 2047.0, 2030.0))

    assert (trade.exit_reason, trade.exit_price) == (EventKind.CLOSED_MANUALLY, D("2047.0"))
    assert trade.profit_loss == D("75.00")
    assert [(e.after, e.ordinal) for e in events] == [
        (TradeStatus.CLOSED_MANUALLY, 14),
        (TradeStatus.TRADE_CLOSED, 14),
    ]


def test_an_order_to_close_leaves_stop_and_targets_where_they_are() -> None:
    ordered = order_close(BUY, CloseOrder(after_ordinal=10, from_ms=CLOSE_MS + 2000))

    stopped, _ = advance(ordered, GOLD, bids(2039.0))
    reached, events = advance(ordered, GOLD, bids(2050.0, 2056.0))

    assert stopped.exit_reason is EventKind.SL_HIT
    assert [(e.kind, e.price) for e in events if e.price] == [
        (EventKind.TP1_HIT, D("2055.0")),
        (EventKind.CLOSED_MANUALLY, D("2056.0")),
    ]
    assert reached.profit_loss == D("237.50") + D("262.50")


def test_the_first_order_to_close_stays() -> None:
    first = order_close(BUY, CloseOrder(after_ordinal=12, from_ms=CLOSE_MS))

    assert order_close(first, CloseOrder(after_ordinal=99, from_ms=CLOSE_MS)) == first


def test_a_trade_can_be_cancelled_only_before_it_opens() -> None:
    planned = plan_trade(SIGNAL, GOLD, DEFAULTS)
    trade, (event,) = cancel(planned, Moment(CLOSE_MS, 9))

    assert trade.status is event.after is TradeStatus.CANCELLED
    with pytest.raises(InvalidTransition, match="XAU_20240105_001: no CANCELLED while MONITORING"):
        cancel(BUY, Moment(CLOSE_MS, 12))


def test_a_closed_trade_cannot_close_again() -> None:
    closed, _ = advance(BUY, GOLD, bids(2030.0))

    assert advance(closed, GOLD, bids(2030.0, first_ordinal=30)) == (closed, ())
    with pytest.raises(InvalidTransition, match="cannot be closed: it is TRADE_CLOSED"):
        order_close(closed, CloseOrder(20, CLOSE_MS + 9000))


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


@EVERY_PAIR
def test_no_function_goes_round_the_table(status: TradeStatus, kind: EventKind) -> None:
    trade, moment = replace(BUY, status=status), Moment(CLOSE_MS, 12)

    def step() -> tuple[Trade, tuple[TradeEvent, ...]]:
        if kind is EventKind.TP1_HIT:
            return reach_target_1(trade, GOLD, moment)
        if kind is EventKind.CANCELLED:
            return cancel(trade, moment)
        return finish(trade, GOLD, kind, D("2047.0"), moment)

    # What is no end of a trade is none for `finish` either, also where the table holds it.
    if (status, kind) in TRANSITIONS and kind in {*EXITS, EventKind.TP1_HIT, EventKind.CANCELLED}:
        after, events = step()
        assert (events[0].kind, events[0].before) == (kind, status)
        assert [e.before for e in events[1:]] == [e.after for e in events[:-1]]
        assert after.status is events[-1].after
    else:
        with pytest.raises(InvalidTransition):
            step()


@pytest.mark.parametrize("status", sorted(set(TradeStatus) - OPEN_STATUSES))
def test_ticks_and_orders_move_only_open_trades(status: TradeStatus) -> None:
    trade = replace(BUY, status=status)

    assert advance(trade, GOLD, bids(2030.0, 2070.0)) == (trade, ())
    assert on_tick(trade, GOLD, Tick(11, CLOSE_MS + 1000, 2030.0, 2030.2)) == (trade, ())
    with pytest.raises(InvalidTransition, match=f"cannot be closed: it is {status}"):
        order_close(trade, CloseOrder(11, CLOSE_MS))


def test_every_status_is_reached_and_every_end_is_an_end() -> None:
    reached = set(TRANSITIONS.values()) | {TradeStatus.SIGNAL_GENERATED}
    left = {before for before, _ in TRANSITIONS}

    assert reached == set(TradeStatus)
    assert set(TradeStatus) - left == {TradeStatus.TRADE_CLOSED, TradeStatus.CANCELLED}


def test_costs_are_paid_and_moved_into_the_break_even() -> None:
    costly = replace(DEFAULTS, commission_per_lot=7.0, slippage_pips=1.0)
    trade, events = open_trade(SIGNAL, GOLD, ENTRY, costly)

    # 7 for a lot of 100 ounces are 0.07 of price; slippage of a pip is 0.1, paid once more.
    assert (trade.entry_price, trade.profit_loss) == (D("2045.6"), D("-3.50"))
    assert events[0].profit == D("-3.50")
    trade, _ = advance(trade, GOLD, bids(2055.0))
    assert trade.stop_loss == D("2045.77")
    trade, _ = advance(trade, GOLD, bids(2045.77, first_ordinal=12))
    assert trade.exit_price == D("2045.67")
    # The half that was closed at the target, after its share of the commission; the rest: nothing.
    assert trade.profit_loss == D("235.00") - D("1.75")


def test_the_break_even_covers_the_nights_until_the_first_target() -> None:
    swapped = replace(DEFAULTS, swap_per_lot_night_buy=-10.0)
    trade, _ = open_trade(SIGNAL, GOLD, ENTRY, swapped)
    monday_ms = CLOSE_MS + 3 * 86_400_000
    times = np.array([monday_ms, monday_ms + 1000])

    trade, events = advance(
        trade, GOLD, Ticks(11, times, np.array([2055.0, 2045.6]), np.array([2055.2, 2045.8]))
    )

    assert trade.stop_loss == D("2045.6")
    assert [e.profit for e in events if e.lots] == [D("237.50") - D("2.50"), D("0.00")]


def test_swap_is_paid_for_each_night() -> None:
    swapped = replace(DEFAULTS, swap_per_lot_night_buy=-10.0)
    trade, _ = open_trade(SIGNAL, GOLD, ENTRY, swapped)
    # Friday afternoon to Monday afternoon: one night.
    monday = Ticks(11, np.array([CLOSE_MS + 3 * 86_400_000]), np.array([2055.0]), np.array([2056]))

    trade, _ = advance(trade, GOLD, monday)

    assert trade.profit_loss == D("237.50") - D("2.50")


def test_a_stored_trade_comes_back_as_it_was() -> None:
    trade, events = advance(BUY, GOLD, bids(2055.0, 2066.0))

    assert msgspec.json.decode(msgspec.json.encode(trade), type=Trade) == trade
    assert msgspec.json.decode(msgspec.json.encode(events), type=tuple[TradeEvent, ...]) == events


def test_json_of_a_trade_is_numbers_and_iso_times() -> None:
    trade, events = advance(BUY, GOLD, bids(2055.0, 2066.0))
    printed = trade_as_json(trade, events)

    assert printed["signal_id"] == "XAU_20240105_001"
    assert (printed["entry_time"], printed["exit_time"]) == (
        "2024-01-05T14:30:00.400Z",
        "2024-01-05T14:30:02Z",
    )
    assert (printed["profit_loss"], printed["r_multiple"]) == (725.0, 2.64)
    assert printed["partial_closes"][0] == {
        "kind": "TP1_HIT",
        "time": "2024-01-05T14:30:01Z",
        "price": 2055.0,
        "lots": 0.25,
        "profit": 237.5,
        "pips": 95.0,
    }
    assert printed["events"][0] == {
        "kind": "TP1_HIT",
        "before": "MONITORING",
        "after": "TP1_HIT",
        "time": "2024-01-05T14:30:01Z",
        "ordinal": 11,
        "price": 2055.0,
        "lots": 0.25,
        "profit": 237.5,
        "pips": 95.0,
        "stop_loss": 2040.0,
    }
