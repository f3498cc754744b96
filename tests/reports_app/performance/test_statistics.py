"""Figures of trades that can be checked by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from reports_app.performance.statistics import (
    Performance,
    Period,
    TradeResult,
    by_group,
    by_period,
    maximum_drawdown,
    performance,
    performance_as_json,
    result_of,
)
from signals_app.confluence.parameters import Parameters
from signals_app.market.calendar import milliseconds
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SIGNAL, bids
from trades_app.lifecycle.machine import advance, open_trade

D = Decimal


def at(day: int, hour: int = 12, month: int = 1) -> int:
    return milliseconds(datetime(2024, month, day, hour, tzinfo=UTC))


def result(
    profit: str, r: str, *, made: int, closed: int | None, direction: str = "BUY", name: str = "1"
) -> TradeResult:
    return TradeResult(
        signal_id=name,
        instrument="XAUUSD",
        direction=direction,
        session="LONDON",
        setup_type="OB",
        signalled_ms=made,
        opened_ms=made,
        closed_ms=closed,
        profit_loss=D(profit),
        profit_loss_pips=D(profit) / 10,
        r_multiple=D(r),
        risk_reward_ratio=2.5,
    )


WON = result("150.00", "1.50", made=at(8), closed=at(8, 20))
LOST = result("-100.00", "-1.00", made=at(8), closed=at(9), direction="SELL")
LOST_LATER = result("-60.00", "-0.60", made=at(9), closed=at(16))
EVEN = result("0.00", "0.00", made=at(16), closed=at(16, 13))
OPEN = result("40.00", "0.40", made=at(16), closed=None)
ALL = [OPEN, LOST_LATER, EVEN, WON, LOST]


def test_figures_of_all_trades() -> None:
    assert performance(ALL) == Performance(
        total_signals=5,
        closed_trades=4,
        winning_trades=1,
        losing_trades=2,
        win_rate=D("33.33"),
        average_rr=D("-0.03"),
        planned_risk_reward=D("2.50"),
        profit_factor=D("0.94"),
        total_pips=D("-1.00"),
        total_profit_loss=D("-10.00"),
        maximum_drawdown=D("160.00"),
    )


def test_without_trades_there_are_no_ratios() -> None:
    assert performance([]) == Performance()
    assert performance([WON]).profit_factor is None


def test_groups_are_counted_apart() -> None:
    groups = by_group(ALL, lambda trade: trade.direction)

    assert list(groups) == ["BUY", "SELL"]
    assert (groups["BUY"].closed_trades, groups["SELL"].closed_trades) == (3, 1)


def test_signals_count_where_they_were_made_and_trades_where_they_closed() -> None:
    days = by_period(ALL, Period.DAY)

    assert [(day, f.total_signals, f.closed_trades, f.total_profit_loss) for day, f in days.items()]
    assert {day: (f.total_signals, f.closed_trades) for day, f in days.items()} == {
        date(2024, 1, 8): (2, 1),
        date(2024, 1, 9): (1, 1),
        date(2024, 1, 16): (2, 2),
    }
    assert {day: f.total_profit_loss for day, f in by_period(ALL, Period.WEEK).items()} == {
        date(2024, 1, 8): D("50.00"),
        date(2024, 1, 15): D("-60.00"),
    }
    assert list(by_period(ALL, Period.MONTH)) == list(by_period(ALL, Period.YEAR))


def test_periods_begin_on_their_first_day() -> None:
    day = date(2024, 2, 29)

    assert [period.beginning(day) for period in Period] == [
        date(2024, 2, 29),
        date(2024, 2, 26),
        date(2024, 2, 1),
        date(2024, 1, 1),
    ]


def test_drawdown_is_the_deepest_fall_below_the_highest_point() -> None:
    assert maximum_drawdown([D(10), D(-5), D(20), D(-18), D(3), D(-9), D(50)]) == D(24)
    assert maximum_drawdown([D(-7)]) == D(7)
    assert maximum_drawdown([]) == D(0)


def test_the_order_of_the_trades_does_not_matter() -> None:
    assert performance(reversed(ALL)) == performance(ALL)


def test_a_trade_and_its_signal_give_what_is_counted() -> None:
    trade, _ = open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, _ = advance(trade, GOLD, bids(2055.0, 2066.0))

    assert result_of(SIGNAL, trade) == TradeResult(
        signal_id="XAU_20240105_001",
        instrument="XAUUSD",
        direction="BUY",
        session="NY_OVERLAP",
        setup_type="FVG+OB",
        signalled_ms=CLOSE_MS,
        opened_ms=CLOSE_MS + 400,
        closed_ms=CLOSE_MS + 2000,
        profit_loss=D("725.00"),
        profit_loss_pips=D("145.00"),
        r_multiple=D("2.64"),
        risk_reward_ratio=3.55,
    )


def test_json_has_numbers_and_null() -> None:
    printed = performance_as_json(replace(performance(ALL), profit_factor=None))

    assert (printed["win_rate"], printed["profit_factor"], printed["total_signals"]) == (
        33.33,
        None,
        5,
    )
