"""Instruments' rows: made for a symbol's first tick, and one spelling for each symbol."""

from collections.abc import Collection

from django.db.models.functions import Upper

from signals_app.market import instrument
from signals_app.models import Instrument

_LONGEST_PREFIX = 8


def ensure_instrument(symbol: str) -> Instrument:
    """The symbol's row; a default one is made from the built-in table or its quote form."""
    row = Instrument.objects.filter(symbol=symbol).first()
    if row is not None:
        return row
    known = {value.symbol: value for value in instrument.DEFAULT_INSTRUMENTS}
    value = known.get(symbol) or instrument.Instrument(
        symbol=symbol,
        pip=0.0001,
        contract_size=100_000,
        digits=5,
        signal_prefix=symbol[:_LONGEST_PREFIX],
        default_spread=0.0001,
    )
    defaults = Instrument.columns.of(value)
    defaults["signal_prefix"] = free_prefix(value.signal_prefix)
    return Instrument.objects.get_or_create(symbol=symbol, defaults=defaults)[0]


def free_prefix(wanted: str) -> str:
    """The prefix ``wanted``, numbered where another instrument's ids begin with it."""
    taken = set(Instrument.objects.values_list(Upper("signal_prefix"), flat=True))
    prefix, number = wanted, 1
    while prefix.upper() in taken:
        number += 1
        prefix = f"{wanted[: _LONGEST_PREFIX - len(str(number))]}{number}"
    return prefix


def other_spellings(symbols: Collection[str]) -> dict[str, str]:
    """Of these symbols those that are instruments in another case only, with that spelling."""
    rows = Instrument.objects.annotate(upper=Upper("symbol"))
    found = dict(
        rows.filter(upper__in={symbol.upper() for symbol in symbols}).values_list("upper", "symbol")
    )
    return {
        symbol: found[symbol.upper()]
        for symbol in symbols
        if found.get(symbol.upper(), symbol) != symbol
    }
