"""The feed of a stack: the simulated market, a file of ticks, or none."""

import re
from dataclasses import dataclass
from pathlib import Path

from goldtrader.stack.errors import StackError

SIMULATED = "simulated"
NONE = "none"


@dataclass(frozen=True, slots=True)
class Feed:
    """A checked source for the connector; `path` is None for the simulated market.

    `speed` is a factor of real time, or "max". `assumed` is a sentence on the clock that the file's
    times are taken to be of, empty where the file names it. A file whose symbol is not built
    in, and any made-up market, `needs_form`: the instrument's `digits` and `default_spread`.
    """

    source: str
    symbol: str
    speed: str
    source_timezone: str
    path: Path | None = None
    assumed: str = ""
    needs_form: bool = False
    digits: int | None = None
    default_spread: float | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether the prices are simulated."""
        return self.source == SIMULATED

    def describe(self) -> str:
        """The feed as the terminal's table shows it."""
        if self.path is None:
            return f"SIMULATED {self.symbol}: made-up prices, speed {self.speed}"
        return f"{self.path.name} as {self.symbol}, speed {self.speed}"


def choose_feed(
    named: str, *, symbol: str | None, speed: str | None, source_timezone: str
) -> Feed | None:
    """The feed of this name, None for "none"; a file is read to its end first.

    Without a ``speed`` the simulated market runs a minute a second, and a file as fast as it goes.
    Raises `StackError` for a file that is missing or damaged, and for an invalid speed.
    """
    if speed is not None:
        _require_speed(speed)
    if named == NONE:
        return None
    if named == SIMULATED:
        return Feed(SIMULATED, symbol or "XAUUSD", speed or "60", source_timezone, needs_form=True)
    # Here: it brings numpy, which a start without a file does not need.
    from mt5_bridge.files.errors import MarketFileError
    from mt5_bridge.files.price_form import PRICE_FORMS
    from mt5_bridge.files.tick_files import check_file, symbol_of

    path = Path(named).expanduser().resolve()
    if not path.is_file():
        raise StackError(f"The feed {named} is neither `simulated`, `none` nor a file.")
    symbol = symbol or symbol_of(path)
    if symbol is None:
        raise StackError(f"The name of {path.name} does not begin with a symbol: give --symbol.")
    is_known = symbol.upper() in PRICE_FORMS
    # How candles of another symbol are quoted the database will say; here any form is as good.
    digits, spread = (None, None) if is_known else (5, 0.0)
    try:
        summary = check_file(
            path, symbol, source_timezone=source_timezone, digits=digits, default_spread=spread
        )
    except MarketFileError as error:
        raise StackError(str(error)) from error
    return Feed(
        "replay", symbol, speed or "max", source_timezone, path, summary.understood, not is_known
    )


def _require_speed(speed: str) -> None:
    is_number = re.fullmatch(r"\d+(\.\d+)?", speed) is not None and float(speed) > 0
    if speed != "max" and not is_number:
        raise StackError(f"--speed {speed} is neither a number above 0 nor `max`.")
