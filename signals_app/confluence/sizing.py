"""What a price move is worth in the account's currency, and how many lots a risk allows."""

from decimal import Decimal

from signals_app.market.conversion import to_account
from signals_app.market.instrument import Instrument
from signals_app.market.rounding import rounded

CENT = Decimal("0.01")


def money(amount: Decimal) -> Decimal:
    """An amount as it stands at rest: whole cents, halves away from zero."""
    return rounded(amount, CENT)


def money_of_move(
    instrument: Instrument,
    *,
    lots: Decimal,
    distance: Decimal,
    price: Decimal,
    rate: Decimal | None = None,
) -> Decimal:
    """What ``lots`` earn, in account currency, on a move of ``distance`` that ends at ``price``.

    Not rounded. ``rate`` and `NoRate` as in `to_account`.
    """
    return to_account(instrument, distance * lots * instrument.contract_size, price, rate)


def lots_for_risk(
    instrument: Instrument,
    *,
    balance: Decimal,
    risk_percentage: float,
    distance: Decimal,
    price: Decimal,
    rate: Decimal | None = None,
) -> Decimal:
    """The lots that lose ``risk_percentage`` of ``balance`` over ``distance`` (in price).

    Rounded down to the lot step; zero where that is below the instrument's smallest lot. ``rate``
    and `NoRate` as in `to_account`.
    """
    allowed = balance * Decimal(str(risk_percentage)) / 100
    loss_of_one_lot = money_of_move(
        instrument, lots=Decimal(1), distance=distance, price=price, rate=rate
    )
    if allowed <= 0 or loss_of_one_lot <= 0:
        return Decimal(0)
    return instrument.whole_lots(allowed / loss_of_one_lot)
