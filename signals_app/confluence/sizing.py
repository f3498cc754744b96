"""What a price move is worth in the account's currency, and how many lots a risk allows."""

from decimal import Decimal

from signals_app.market.instrument import Instrument
from signals_app.market.rounding import rounded

ACCOUNT_CURRENCY = "USD"
CENT = Decimal("0.01")


class NoRate(ValueError):  # noqa: N818 - it says what is missing
    """Neither side of the instrument is the account's currency; the text is for the operator."""


def to_account(instrument: Instrument, amount: Decimal, price: Decimal) -> Decimal:
    """``amount`` of the quote currency in account currency, not rounded.

    Where the account's currency is the instrument's base (USDCAD) ``price`` itself is the rate.
    Raises `NoRate` for a cross that has neither side in account currency.
    """
    if instrument.quote_currency == ACCOUNT_CURRENCY:
        return amount
    if instrument.symbol.startswith(ACCOUNT_CURRENCY):
        return amount / price
    raise NoRate(
        f"{instrument.symbol} is quoted in {instrument.quote_currency}: "
        f"there is no rate to {ACCOUNT_CURRENCY}"
    )


def money(amount: Decimal) -> Decimal:
    """An amount as it stands at rest: whole cents, halves away from zero."""
    return rounded(amount, CENT)


def money_of_move(
    instrument: Instrument, *, lots: Decimal, distance: Decimal, price: Decimal
) -> Decimal:
    """What ``lots`` earn, in account currency, on a move of ``distance`` that ends at ``price``.

    Not rounded. Raises `NoRate` as `to_account` does.
    """
    return to_account(instrument, distance * lots * instrument.contract_size, price)


def lots_for_risk(
    instrument: Instrument,
    *,
    balance: Decimal,
    risk_percentage: float,
    distance: Decimal,
    price: Decimal,
) -> Decimal:
    """The lots that lose ``risk_percentage`` of ``balance`` over ``distance`` (in price).

    Rounded down to the lot step; zero where that is below the instrument's smallest lot. Raises
    `NoRate` as `to_account` does.
    """
    allowed = balance * Decimal(str(risk_percentage)) / 100
    loss_of_one_lot = money_of_move(instrument, lots=Decimal(1), distance=distance, price=price)
    if allowed <= 0 or loss_of_one_lot <= 0:
        return Decimal(0)
    return instrument.whole_lots(allowed / loss_of_one_lot)
