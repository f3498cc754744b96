"""Pips, money, nights."""

from datetime import datetime
from decimal import Decimal

import pytest

from signals_app.confluence.direction import Direction
from signals_app.market.calendar import milliseconds
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
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


def test_break_even_is_the_entry_unless_commission_was_paid() -> None:
    costs = Costs(commission_per_lot=D(7))

    assert break_even_price(GOLD, Direction.SELL, D("2045.50000"), Costs()) == D("2045.5")
    assert break_even_price(GOLD, Direction.SELL, D("2045.50000"), costs) == D("2045.43")
    assert break_even_price(EURUSD, Direction.BUY, D("1.10000"), costs) == D("1.10007")


@pytest.mark.parametrize(
    ("opened", "closed", "nights"),
    [
        ("2024-01-08T10:00Z", "2024-01-08T21:59Z", 0),
        ("2024-01-08T10:00Z", "2024-01-08T22:00Z", 1),
        ("2024-01-10T10:00Z", "2024-01-11T10:00Z", 3),
        ("2024-01-12T10:00Z", "2024-01-15T10:00Z", 1),
        ("2024-01-08T10:00Z", "2024-01-15T10:00Z", 7),
    ],
)
def test_a_night_is_17_00_in_new_york_and_wednesdays_counts_for_the_weekend(
    opened: str, closed: str, nights: int
) -> None:
    assert nights_between(at(opened), at(closed)) == nights
