"""How every message writes prices, money, pips, times and the mark of a simulated feed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from signals_app.market.instrument import Instrument

#: Signs between thousands and before decimals, by the name of the language of numbers.
NUMBERS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "EN": (",", "."),
        "DE": (".", ","),
        "FR": ("\N{NARROW NO-BREAK SPACE}", ","),
        "CH": ("\N{RIGHT SINGLE QUOTATION MARK}", "."),
    }
)
_numbers: ContextVar[tuple[str, str]] = ContextVar("numbers", default=NUMBERS["EN"])

#: Begins the line that a locked telephone shows, where the ticks are made up.
SIMULATED_MARK = "🧪 SIMULATED "
#: Says so in a sentence where the ticks are made up.
SIMULATED_FEED = "🧪 SIMULATED FEED: these prices are made up 🧪"


def duration(seconds: float) -> str:
    """A length of time in minutes, and in hours from one hour on: `2 h 03 min`."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def found_late(seconds: int) -> str:
    """The line that says how long after its tick's time something was found."""
    return f"⏳ Found {duration(seconds)} late: its ticks came after the feed had been cut off"


def utc_time(moment: datetime) -> str:
    """A time of the clock in UTC, to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def result(money: Decimal, pips: Decimal) -> str:
    """What a trade earned, in money and in pips, each with its sign."""
    return f"{signed_money(money)} ({signed(pips)} pips)"


@contextmanager
def numbers(language: str) -> Iterator[None]:
    """Write numbers in this language meanwhile; raises `KeyError` for an unknown one."""
    before = _numbers.set(NUMBERS[language])
    try:
        yield
    finally:
        _numbers.reset(before)


def price(instrument: Instrument, value: float | Decimal) -> str:
    """A price with the decimals that people know it by."""
    return written(instrument.show(value))


def signed_money(amount: Decimal) -> str:
    """Account currency to the cent: `-$1,325.00`."""
    cents = written(f"{amount:+z,.2f}")
    return f"{cents[0]}${cents[1:]}"


def signed(number: Decimal) -> str:
    """A number with its sign, to at most two decimals."""
    text = short(number)
    return text if text.startswith("-") else f"+{text}"


def short(number: Decimal | float) -> str:
    """A number to at most two decimals, without zeros that say nothing."""
    text = f"{number:z,.2f}"
    return written(text.rstrip("0").rstrip("."))


def written(number: str) -> str:
    """A number as Python writes it, in the language of now."""
    thousands, decimals = _numbers.get()
    return number.translate({ord(","): thousands, ord("."): decimals})
