"""The life of a trade, tick by tick."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from signals_app.confluence.parameters import Parameters
from signals_app.market.tick import Tick, Ticks
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SELL_SIGNAL, SIGNAL, bids
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
from trades_app.lifecycle.transitions import EXITS, TRANSITIONS, InvalidTransition

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
