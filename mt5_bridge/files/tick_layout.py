"""The forms of tick files: which columns a header names, and what prices and spreads mean."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mt5_bridge.files.broker_time import BrokerClock
from mt5_bridge.files.text_files import TickFileError, blocks, has_zone


@dataclass(frozen=True, slots=True)
class PriceForm:
    """How a symbol is quoted: the decimals of one point, and the spread (price) for lack of any."""

    digits: int
    default_spread: float


PRICE_FORMS: Final = {
    "XAUUSD": PriceForm(2, 0.30),
    "EURUSD": PriceForm(5, 0.00010),
    "GBPUSD": PriceForm(5, 0.00010),
    "USDCAD": PriceForm(5, 0.00010),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of a file are.

    `columns` gives the place of each known column by its plain name. For candles, `spread_unit` is
    the price of 1 in the column `spread`, and `default_spread` stands in for an empty one.
    """

    delimiter: str
    width: int
    columns: dict[str, int]
    is_candles: bool
    spread_unit: float = 1.0
    default_spread: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether every value is a number, so that whole blocks can be read at once."""
        return self.delimiter == "," and "timestamp_ms" in self.columns and not self.is_candles


_SYNONYMS: Final = {
    "time_msc": "timestamp_ms",
    "datetime": "timestamp",
    "date_time": "timestamp",
    "gmt time": "timestamp",
    "real_volume": "vol",
    "tick_volume": "tickvol",
}
_FORMS: Final = (
    "the header must be timestamp_ms,bid,ask[,last,volume], or MetaTrader 5's export of ticks, or "
    "candles: timestamp,open,high,low,close[,volume,spread]"
)


def read_header(path: Path) -> str:
    """Return the first line; raises `TickFileError` where there is none."""
    for _, block in blocks(path):
        line = block.split(b"\n", 1)[0]
        return line.decode("utf-8-sig", errors="replace").strip("\r\n ")
    raise TickFileError(f"{path} is empty; give a file with ticks")


def parse_header(path: Path, header: str) -> Layout:
    """Return where the columns are; raises `TickFileError` for a header of no known form."""
    delimiter = next((mark for mark in "\t;" if mark in header), ",")
    names = [name.strip().strip('<>"').lower() for name in header.split(delimiter)]
    names = [_SYNONYMS.get(name, name) for name in names]
    columns = {name: place for place, name in reversed(list(enumerate(names)))}
    if not columns.keys() & {"timestamp_ms", "timestamp", "time", "date"}:
        raise TickFileError(f"{path}, line 1 is {header[:60]!r}; {_FORMS}")
    if {"bid", "ask"} <= columns.keys():
        return Layout(delimiter, len(names), columns, is_candles=False)
    if {"open", "high", "low", "close"} <= columns.keys():
        return Layout(delimiter, len(names), columns, is_candles=True)
    raise TickFileError(f"{path}, line 1 is {header[:60]!r}; {_FORMS}")


def price_form(
    path: Path,
    symbol: str | None,
    known: PriceForm | None,
    digits: int | None,
    default_spread: float | None,
) -> PriceForm:
    """How the candles' symbol is quoted: as it is ``known``, but for what is given.

    Raises `TickFileError` where neither says it.
    """
    digits = digits if digits is not None else known.digits if known else None
    spread = default_spread
    if spread is None and known:
        spread = known.default_spread
    if digits is None or spread is None:
        raise TickFileError(
            f"{path} holds candles of {symbol or 'a symbol that its name does not begin with'}; "
            "give the symbol's digits and its default spread"
        )
    return PriceForm(digits, spread)


def has_whole_spreads(path: Path, layout: Layout) -> bool:
    """Whether the spread column holds whole numbers only, which then are points.

    The whole column decides: among spreads in price a round 1 is one dollar, not one point.
    """
    place = layout.columns["spread"]
    for first_line, block in blocks(path):
        lines = block.decode(errors="replace").splitlines()[1 if first_line == 1 else 0 :]
        for line in lines:
            cells = line.split(layout.delimiter)
            text = cells[place].strip() if place < len(cells) else ""
            if text and not text.isdigit():
                return False
    return True


def with_spread(layout: Layout, form: PriceForm, *, in_points: bool) -> Layout:
    """Return the layout of candles with what its spreads mean."""
    return replace(
        layout,
        spread_unit=10.0**-form.digits if in_points else 1.0,
        default_spread=form.default_spread,
    )


def describe(layout: Layout, clock: BrokerClock, first_time: str) -> str:
    """Return a sentence for people on how times and prices of the file are understood."""
    parts = []
    if has_zone(first_time):
        parts.append("times are read as their own zone says")
    elif "timestamp_ms" in layout.columns and clock.name == "utc":
        parts.append("times are Unix milliseconds, UTC")
    else:
        parts.append(f"times are taken for {clock.explanation}")
    if layout.is_candles:
        parts.append("each M1 candle stands for four ticks (open, low and high, close)")
        if "spread" not in layout.columns:
            parts.append(f"the spread is {layout.default_spread:g}")
        elif layout.spread_unit == 1.0:
            parts.append("the spread column is in price")
        else:
            parts.append(f"the spread column is in points of {layout.spread_unit:g}")
    return "; ".join(parts)
