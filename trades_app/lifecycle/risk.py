"""A trade's arithmetic: pips, money, costs, in `Decimal` and rounded where it comes to rest."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_UP, Decimal

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.sizing import money, money_of_move
from signals_app.market.calendar import trading_day
from signals_app.market.direction import Direction
from signals_app.market.instrument import PRICE_DECIMALS, WEDNESDAY, Instrument, as_decimal
from signals_app.market.rounding import drop_signs_of_zero, rounded, unsigned_zero

PIP_HUNDREDTH = Decimal("0.01")
PRICE_STEP = Decimal(1).scaleb(-PRICE_DECIMALS)
_QUOTIENT_STEP = Decimal("1E-15")
_SWAP_STEP = Decimal("0.00001")
_SATURDAY = 5
_COSTS = ("commission_per_lot", "swap_per_lot_night_buy", "swap_per_lot_night_sell", "slippage")


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs beside the spread; all zero by default.

    `commission_per_lot` is for the round turn and paid at the opening; swaps are per lot and
    night, negative where they cost; `slippage` (price) worsens every fill at the market.
    """

    commission_per_lot: Decimal = Decimal(0)
    swap_per_lot_night_buy: Decimal = Decimal(0)
    swap_per_lot_night_sell: Decimal = Decimal(0)
    slippage: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        drop_signs_of_zero(self, *_COSTS)

    @classmethod
    def of(
        cls,
        parameters: Parameters,
        instrument: Instrument,
        price: Decimal,
        rate: Decimal | None = None,
    ) -> "Costs":
        """The costs that strategy and instrument name, exchanged as `to_account` does."""
        slippage = Decimal(str(parameters.slippage_pips)) * as_decimal(instrument.pip)
        return cls(
            Decimal(str(parameters.commission_per_lot)),
            Decimal(str(parameters.swap_per_lot_night_buy))
            + _swap_of_points(instrument, instrument.swap_long_points, price, rate),
            Decimal(str(parameters.swap_per_lot_night_sell))
            + _swap_of_points(instrument, instrument.swap_short_points, price, rate),
            rounded(slippage, PRICE_STEP),
        )

    def swap_per_lot_night(self, direction: Direction) -> Decimal:
        """The swap of one lot over one night."""
        if direction is Direction.BUY:
            return self.swap_per_lot_night_buy
        return self.swap_per_lot_night_sell


def _swap_of_points(
    instrument: Instrument, points: Decimal, price: Decimal, rate: Decimal | None
) -> Decimal:
    """What a broker's points bring one lot a night, in account currency."""
    if not points:
        return Decimal(0)
    distance = points.scaleb(-instrument.digits)
    worth = money_of_move(instrument, lots=Decimal(1), distance=distance, price=price, rate=rate)
    return rounded(worth, _SWAP_STEP)


def gain(direction: Direction, entry_price: Decimal, exit_price: Decimal) -> Decimal:
    """The price distance won, negative where it was lost."""
    return unsigned_zero((exit_price - entry_price) * direction.sign)


def pips(instrument: Instrument, distance: Decimal) -> Decimal:
    """A price distance in pips, to the hundredth, halves away from zero."""
    return rounded(distance / as_decimal(instrument.pip), PIP_HUNDREDTH)


def commission(lots: Decimal, costs: Costs) -> Decimal:
    """What opening ``lots`` costs, as a loss (zero or negative), in whole cents."""
    return money(-costs.commission_per_lot * lots)


def profit(
    instrument: Instrument,
    *,
    direction: Direction,
    lots: Decimal,
    entry_price: Decimal,
    exit_price: Decimal,
    nights: int,
    costs: Costs,
    rate: Decimal | None = None,
) -> Decimal:
    """What closing ``lots`` earns after swap, in account currency and whole cents.

    ``rate`` is the trade's, as in `to_account`.
    """
    distance = gain(direction, entry_price, exit_price)
    earned = money_of_move(instrument, lots=lots, distance=distance, price=exit_price, rate=rate)
    return money(earned + costs.swap_per_lot_night(direction) * lots * nights)


def break_even_price(
    instrument: Instrument,
    direction: Direction,
    entry_price: Decimal,
    costs: Costs,
    nights: int,
    rate: Decimal | None = None,
) -> Decimal:
    """Where the stop goes after the first target: the entry, plus what the lots cost.

    That is commission, the swap of the ``nights`` so far and the slippage of the stop's own fill,
    in full: the price is rounded away from the entry. Swap that is paid to the trade does not
    count, nor do later nights, which nobody knows. Costs are exchanged at the entry's rate,
    or at ``rate``, the trade's.
    """
    swap = min(costs.swap_per_lot_night(direction) * nights, Decimal(0))
    cost_of_one_lot = costs.commission_per_lot - swap
    distance = costs.slippage
    if cost_of_one_lot:
        worth_of_one = money_of_move(
            instrument, lots=Decimal(1), distance=Decimal(1), price=entry_price, rate=rate
        )
        # A quotient that has no last digit must not be rounded up for what it lacks there.
        distance += rounded(cost_of_one_lot / worth_of_one, _QUOTIENT_STEP)
    return entry_price + distance.quantize(PRICE_STEP, ROUND_UP) * direction.sign


def nights_between(opened_ms: int, closed_ms: int, triple_day: int = WEDNESDAY) -> int:
    """The nights that swap is paid for: each 17:00 New York passed, one of the week thrice.

    That of ``triple_day`` stands for the weekend too, as brokers book it; Saturday and Sunday have
    none.
    """
    day, last = trading_day(opened_ms).date, trading_day(closed_ms).date
    nights = 0
    while day < last:
        if day.weekday() < _SATURDAY:
            nights += 3 if day.weekday() == triple_day else 1
        day += timedelta(days=1)
    return nights
