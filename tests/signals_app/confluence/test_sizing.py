"""Lots and money."""

from decimal import Decimal

import pytest

from signals_app.confluence.sizing import lots_for_risk, money, money_of_move
from signals_app.market.conversion import NoRate
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument

GOLD, EURUSD, _, USDCAD = DEFAULT_INSTRUMENTS


def lots(instrument: Instrument, balance: str, distance: str, price: str = "1") -> Decimal:
    return lots_for_risk(
        instrument,
        balance=Decimal(balance),
        risk_percentage=1.0,
        distance=Decimal(distance),
        price=Decimal(price),
    )


def test_lots_lose_the_wanted_share_at_the_stop_rounded_down_to_the_step() -> None:
    # 1 % of 10,000 is 100; a lot of gold loses 550 over 5.50.
    assert lots(GOLD, "10000", "5.50") == Decimal("0.18")
    assert lots(EURUSD, "10000", "0.00150") == Decimal("0.66")


def test_canadian_dollars_are_turned_into_american_ones_by_the_price() -> None:
    # A lot loses 150 CAD over 15 pips, which are 120 USD at 1.25.
    assert lots(USDCAD, "10000", "0.00150", "1.25") == Decimal("0.83")


def test_less_than_the_smallest_lot_is_nothing() -> None:
    assert lots(GOLD, "50", "5.50") == 0
    assert lots(GOLD, "-100", "5.50") == 0
    assert lots(GOLD, "10000", "0") == 0


def test_a_cross_without_dollars_has_no_rate() -> None:
    cross = Instrument("EURGBP", 0.0001, 100_000, 5, "EGB", 0.0001, quote_currency="GBP")

    with pytest.raises(NoRate, match="no price of GBPUSD is known"):
        money_of_move(cross, lots=Decimal(1), distance=Decimal(1), price=Decimal(1))


@pytest.mark.parametrize(
    ("amount", "rest"), [("1.005", "1.01"), ("-1.005", "-1.01"), ("0.004", "0.00")]
)
def test_money_rests_in_cents_with_halves_away_from_zero(amount: str, rest: str) -> None:
    assert money(Decimal(amount)) == Decimal(rest)
