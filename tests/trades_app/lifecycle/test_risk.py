"""Pips, money, nights."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from signals_app.confluence.parameters import Parameters
from signals_app.market.built_in import BUILT_IN
from signals_app.market.calendar import milliseconds
from signals_app.market.direction import Direction
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, FRIDAY
from trades_app.lifecycle.risk import Costs, break_even_price, nights_between, pips, profit

GOLD, EURUSD, _, USDCAD = DEFAULT_INSTRUMENTS
D = Decimal


def at(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))


def test_pips_go_by_the_instrument() -> None:
    assert pips(GOLD, D("9.5")) == D("95.00")
    assert pips(EURUSD, D("-0.00155")) == D("-15.50")


def test_profit_of_a_pair_quoted_in_canadian_dollars_is_paid_at_the_exit() -> None:
    earned = profit(
        USDCAD,
        direction=Direction.SELL,
        lots=D("0.50"),
        entry_price=D("1.36000"),
        exit_price=D("1.35000"),
        nights=0,
        costs=Costs(),
    )

    # 500 CAD at 1.35.
    assert earned == D("370.37")


def test_break_even_is_the_entry_and_what_the_lots_cost_by_then() -> None:
    commission = Costs(commission_per_lot=D(7))
    slipping = Costs(slippage=D("0.10000"))
    swapped = Costs(swap_per_lot_night_buy=D(-12), swap_per_lot_night_sell=D(5))

    def of(costs: Costs, direction: Direction, nights: int = 0, market=GOLD, entry="2045.5"):
        return break_even_price(market, direction, D(entry), costs, nights)

    assert of(Costs(), Direction.SELL, nights=3) == D("2045.5")
    assert of(commission, Direction.SELL) == D("2045.43")
    assert of(commission, Direction.BUY, market=EURUSD, entry="1.10000") == D("1.10007")
    assert of(slipping, Direction.BUY) == D("2045.6")
    assert of(slipping, Direction.SELL) == D("2045.4")
    assert of(swapped, Direction.BUY, nights=3) == D("2045.86")
    # What a night pays is not given away by a stop on the other side of the entry.
    assert of(swapped, Direction.SELL, nights=3) == D("2045.5")
    # 500 USD at 1.68 are 840 CAD: what a lot's dollar lacks in its last digit adds no step.
    assert of(Costs(D(500)), Direction.BUY, market=USDCAD, entry="1.68000") == D("1.68840")


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("commission", [D(7), D("0.01"), D("3.33333")])
def test_a_break_even_stop_that_fills_at_its_price_loses_nothing(
    direction: Direction, commission: Decimal
) -> None:
    costs = Costs(commission, D("-2.7"), D("-3.1"), slippage=D("0.00013"))
    entry, lots, nights = D("1.10237"), D("0.50"), 2

    stop = break_even_price(EURUSD, direction, entry, costs, nights)
    earned = profit(
        EURUSD,
        direction=direction,
        lots=lots,
        entry_price=entry,
        exit_price=stop - costs.slippage * direction.sign,
        nights=nights,
        costs=costs,
    )

    # No more than a step of the price grid too much: 0.00001 of half a lot.
    assert D(0) <= earned - commission * lots <= D("0.51")


@pytest.mark.parametrize(
    ("opened", "closed", "nights"),
    [
        ("2024-01-08T10:00Z", "2024-01-08T21:59Z", 0),
        ("2024-01-08T10:00Z", "2024-01-08T22:00Z", 1),
        ("2024-01-10T10:00Z", "2024-01-11T10:00Z", 3),
        ("2024-01-12T10:00Z", "2024-01-15T10:00Z", 1),
        ("2024-01-08T10:00Z", "2024-01-15T10:00Z", 7),
        # 17:00 in New York is 22:00 UTC in winter and 21:00 in summer; the clocks change on
        # 2024-03-10 and 2024-11-03.
        ("2024-03-08T21:59Z", "2024-03-08T22:00Z", 1),
        ("2024-03-08T21:00Z", "2024-03-08T21:59Z", 0),
        ("2024-03-11T20:59Z", "2024-03-11T21:00Z", 1),
        ("2024-03-11T21:00Z", "2024-03-11T22:00Z", 0),
        ("2024-03-08T12:00Z", "2024-03-11T20:59Z", 1),
        ("2024-03-08T12:00Z", "2024-03-11T21:00Z", 2),
        ("2024-11-01T20:59Z", "2024-11-01T21:00Z", 1),
        ("2024-11-04T21:00Z", "2024-11-04T21:59Z", 0),
        ("2024-11-04T21:59Z", "2024-11-04T22:00Z", 1),
        ("2024-11-01T12:00Z", "2024-11-04T21:59Z", 1),
    ],
)
def test_a_night_is_17_00_in_new_york_and_wednesdays_counts_for_the_weekend(
    opened: str, closed: str, nights: int
) -> None:
    assert nights_between(at(opened), at(closed)) == nights


def test_a_coins_weekend_is_paid_for_on_friday() -> None:
    friday, monday = at("2024-01-12T10:00Z"), at("2024-01-15T10:00Z")

    assert nights_between(friday, monday, FRIDAY) == 3
    assert nights_between(friday, monday) == 1
    assert nights_between(at("2024-01-10T10:00Z"), at("2024-01-11T10:00Z"), FRIDAY) == 1


@pytest.mark.parametrize(
    ("symbol", "points", "price", "swap"),
    [
        # 7.53 points of 0.00001 on 100,000 euros are 7.53 dollars.
        ("EURUSD", "-7.53", "1.1", "-7.53000"),
        # 30 points of 0.01 on 100 ounces.
        ("XAUUSD", "-30", "2650", "-30.00000"),
        # 15 points of 0.001 on 100,000 dollars are 1,500 yen: 10 dollars at 150.
        ("USDJPY", "15", "150", "10.00000"),
        # 2,500 points of 0.01 on one coin.
        ("BTCUSD", "-2500", "97000", "-25.00000"),
    ],
)
def test_a_night_costs_what_the_brokers_points_are_worth(
    symbol: str, points: str, price: str, swap: str
) -> None:
    market = replace(BUILT_IN[symbol], swap_long_points=D(points), swap_short_points=D(1))
    costs = Costs.of(Parameters(swap_per_lot_night_buy=-1.0), market, D(price))

    assert costs.swap_per_lot_night_buy == D(swap) - 1
    assert costs.swap_per_lot_night_sell > 0
