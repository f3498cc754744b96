"""What is traded: the price grid, the pip and the lot of one symbol."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from signals_app.market.rounding import rounded_float

PRICE_DECIMALS = 5
#: A price beyond it is refused at every door: the columns and the grid hold no more.
HIGHEST_PRICE = 1_000_000_000.0
_GRID = 10.0**PRICE_DECIMALS
#: Days of the week as `date.weekday` counts them.
WEDNESDAY, FRIDAY = 2, 4


def quantise(price: float) -> float:
    """Put ``price`` on the five-decimal grid that every price in the product stands on.

    Scaling, rounding half to even and dividing gives the double nearest to the decimal number, so
    a price that was read from text comes back unchanged. `numpy` arrays are put on the same grid
    by the same three steps (`signals_app.market.tick.quantise_all`).
    """
    return round(price * _GRID) / _GRID


def as_decimal(price: float) -> Decimal:
    """A grid price as the exact five-decimal `Decimal` that stands in the database."""
    return Decimal(round(price * _GRID)).scaleb(-PRICE_DECIMALS)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable symbol. Prices are in quote currency; sizes in lots.

    `pip` is the price of one pip (XAUUSD 0.1), `contract_size` the units in one lot (100 oz),
    `digits` the decimals shown to people. `default_spread` (price) stands in where a file has
    none. `starting_balance` is the money of this instrument's own account: each instrument is
    sized on its own, so that no symbol's result depends on how fast another was processed.

    `swap_long_points` and `swap_short_points` are what one lot is paid a night, in points of
    `digits` as MetaTrader's specification shows them, negative where it pays. `triple_swap_day` is
    the trading day whose night counts for the weekend too, 0 for Monday. `maximum_spread_pips`
    takes the place of the strategy's where it is not `None`. `quote_currency` is empty where nobody
    said it: nothing is then sized.
    """

    symbol: str
    pip: float
    contract_size: int
    digits: int
    signal_prefix: str
    default_spread: float
    lot_step: Decimal = Decimal("0.01")
    minimum_lot: Decimal = Decimal("0.01")
    maximum_lot: Decimal = Decimal(50)
    starting_balance: Decimal = Decimal(10000)
    quote_currency: str = "USD"
    swap_long_points: Decimal = Decimal(0)
    swap_short_points: Decimal = Decimal(0)
    triple_swap_day: int = WEDNESDAY
    maximum_spread_pips: float | None = None

    def quantise(self, price: float) -> float:
        return quantise(price)

    def pips(self, distance: float) -> float:
        """A price distance in pips, to one decimal place."""
        return rounded_float(distance / self.pip, 1)

    def whole_lots(self, lots: Decimal) -> Decimal:
        """Round ``lots`` down to the lot step, at most the maximum; zero below the minimum."""
        stepped = (lots / self.lot_step).to_integral_value(ROUND_DOWN) * self.lot_step
        return min(stepped, self.maximum_lot) if stepped >= self.minimum_lot else Decimal(0)

    def show(self, price: float | Decimal) -> str:
        """The price as people read it: thousands separated, `digits` decimals."""
        return f"{price:,.{self.digits}f}"


#: The instruments a new database starts with; `built_in` knows more of them.
DEFAULT_INSTRUMENTS = (
    Instrument("XAUUSD", 0.1, 100, 2, "XAU", 0.30),
    Instrument("EURUSD", 0.0001, 100_000, 5, "EUR", 0.00010),
    Instrument("GBPUSD", 0.0001, 100_000, 5, "GBP", 0.00010),
    Instrument("USDCAD", 0.0001, 100_000, 5, "CAD", 0.00010, quote_currency="CAD"),
)
