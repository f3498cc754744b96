"""Instruments' rows: made for a symbol's first tick, and one spelling for each symbol."""

from collections.abc import Collection
from dataclasses import replace

from django.db.models.functions import Upper

from signals_app.market.built_in import guessed_instrument, known_instrument
from signals_app.models import Instrument

_LONGEST_PREFIX = 8


def ensure_instrument(symbol: str) -> Instrument:
    """The symbol's row; one is made from the built-in table, or of what the symbol says."""
    row = Instrument.objects.filter(symbol=symbol).first()
    if row is not None:
        return row
    known = known_instrument(symbol)
    value = known or guessed_instrument(symbol)
    defaults = Instrument.columns.of(replace(value, symbol=symbol))
    prefix = known.signal_prefix if known else symbol[:_LONGEST_PREFIX]
    defaults["signal_prefix"] = free_prefix(prefix)
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
