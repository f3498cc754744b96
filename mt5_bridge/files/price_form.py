"""What the prices and spreads of a file mean: in points of which size, or in price."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.files.errors import MarketFileError

Float64s = NDArray[np.float64]

_UNUSUAL = 5.0


@dataclass(frozen=True, slots=True)
class PriceForm:
    """How a symbol is quoted: the decimals of one point, and the spread (price) for lack of any."""

    digits: int
    default_spread: float


#: The server's built-in instruments; a test holds both tables equal.
PRICE_FORMS: Final = {
    "XAUUSD": PriceForm(2, 0.30),
    "EURUSD": PriceForm(5, 0.00010),
    "GBPUSD": PriceForm(5, 0.00010),
    "USDCAD": PriceForm(5, 0.00010),
    "XAGUSD": PriceForm(3, 0.03),
    "XAUEUR": PriceForm(2, 0.4),
    "AUDUSD": PriceForm(5, 0.0001),
    "NZDUSD": PriceForm(5, 0.00012),
    "USDCHF": PriceForm(5, 0.00012),
    "USDJPY": PriceForm(3, 0.01),
    "EURGBP": PriceForm(5, 0.00012),
    "EURJPY": PriceForm(3, 0.014),
    "EURCHF": PriceForm(5, 0.00015),
    "EURAUD": PriceForm(5, 0.0002),
    "EURCAD": PriceForm(5, 0.0002),
    "EURNZD": PriceForm(5, 0.00028),
    "GBPJPY": PriceForm(3, 0.02),
    "GBPCHF": PriceForm(5, 0.00022),
    "GBPAUD": PriceForm(5, 0.00026),
    "GBPCAD": PriceForm(5, 0.00026),
    "GBPNZD": PriceForm(5, 0.00036),
    "AUDJPY": PriceForm(3, 0.014),
    "AUDCAD": PriceForm(5, 0.00016),
    "AUDCHF": PriceForm(5, 0.00016),
    "AUDNZD": PriceForm(5, 0.00018),
    "CADJPY": PriceForm(3, 0.015),
    "CADCHF": PriceForm(5, 0.00016),
    "CHFJPY": PriceForm(3, 0.018),
    "NZDJPY": PriceForm(3, 0.016),
    "NZDCAD": PriceForm(5, 0.00018),
    "NZDCHF": PriceForm(5, 0.00018),
    "US30": PriceForm(1, 2.5),
    "US500": PriceForm(1, 0.5),
    "NAS100": PriceForm(1, 1.5),
    "GER40": PriceForm(1, 1.5),
    "UK100": PriceForm(1, 1.2),
    "JP225": PriceForm(1, 8.0),
    "BTCUSD": PriceForm(2, 20.0),
    "ETHUSD": PriceForm(2, 2.0),
}


@dataclass(frozen=True, slots=True)
class SpreadForm:
    """What the spreads of a candle file mean.

    `unit` is the price of 1 in the column `spread`: a point where all of them are whole numbers,
    otherwise 1. `default` (price) stands in where there is none. `median` is in price, None where
    the file has no spreads.
    """

    unit: float
    default: float
    median: float | None = None

    @property
    def is_unusual(self) -> bool:
        """Whether the file's spreads are far from the symbol's usual one."""
        if self.median is None or not self.default:
            return False
        ratio = self.median / self.default
        return ratio > _UNUSUAL or ratio < 1 / _UNUSUAL

    def in_price(self, written: Float64s | None, count: int) -> Float64s:
        """The spreads of so many candles in price; NaN in ``written`` is an empty one."""
        if written is None:
            return np.full(count, self.default)
        return np.where(np.isnan(written), self.default, written * self.unit)

    def describe(self) -> str:
        """How the spreads are understood, as part of a sentence."""
        if self.median is None:
            return f"the spread is {self.default:g}"
        meant = "in price" if self.unit == 1.0 else f"in points of {self.unit:g}"
        said = f"the spread column is {meant}"
        if self.is_unusual:
            said += (
                f"; ATTENTION: its median is {self.median:g}, where {self.default:g} is usual "
                "for the symbol"
            )
        return said


def price_form(
    path: Path,
    symbol: str | None,
    known: PriceForm | None,
    digits: int | None,
    default_spread: float | None,
) -> PriceForm:
    """How the candles' symbol is quoted: as it is ``known``, but for what is given.

    Raises `MarketFileError` where neither says it.
    """
    digits = digits if digits is not None else known.digits if known else None
    spread = default_spread
    if spread is None and known:
        spread = known.default_spread
    if digits is None or spread is None:
        raise MarketFileError(
            f"{path} holds candles of {symbol or 'a symbol that its name does not begin with'}; "
            "give the symbol's digits and its default spread (--digits, --default-spread)"
        )
    return PriceForm(digits, spread)


def spread_form(form: PriceForm, spreads: Sequence[Float64s], decimals: int) -> SpreadForm:
    """Say what the ``spreads`` of a whole file mean, whose prices have so many ``decimals``.

    The whole column decides: among spreads in price a round 1 is one dollar, not one point. A
    broker who quotes more decimals than the symbol usually has means his own, smaller points.
    """
    written = np.concatenate(spreads) if spreads else np.empty(0)
    written = written[~np.isnan(written)]
    if not len(written):
        return SpreadForm(1.0, form.default_spread)
    are_whole = bool(np.all(written % 1 == 0))
    unit = 10.0 ** -max(form.digits, decimals) if are_whole else 1.0
    return SpreadForm(unit, form.default_spread, float(np.median(written)) * unit)
