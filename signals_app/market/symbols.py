"""Symbols as people and files write them, made one spelling, and looked up."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from signals_app.market.instrument import Instrument

#: Letters and digits, and what brokers put behind them: XAUUSD.r, EURUSD#, US500-F.
SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._#&+-]{0,19}")


class UnknownSymbol(ValueError):  # noqa: N818 - it says what was found
    """No instrument is called so; the sentence says which ones there are, near names first."""


def symbols_in(listed: object) -> frozenset[str]:
    """The symbols of a list as somebody wrote it by hand; whatever else is in it counts nothing."""
    if not isinstance(listed, list | tuple | set | frozenset):
        return frozenset()
    return frozenset(each for each in listed if isinstance(each, str) and SYMBOL.fullmatch(each))


def is_list_of_symbols(listed: object) -> bool:
    """Whether it is a list of symbols and nothing else."""
    return isinstance(listed, list) and all(
        isinstance(each, str) and SYMBOL.fullmatch(each) for each in listed
    )


def normalised_symbol(text: str) -> str:
    """The one spelling of a symbol, in capitals; raises `UnknownSymbol` for what cannot be one."""
    symbol = text.strip().upper()
    if not SYMBOL.fullmatch(symbol):
        raise UnknownSymbol(
            f"{text[:40]!a} is no symbol; give letters and digits, for example XAUUSD."
        )
    return symbol


def listed_symbols(text: str) -> list[str]:
    """The symbols of a list with commas, each once, in their order and spelling.

    Raises `UnknownSymbol` where there is none, or one that cannot be a symbol.
    """
    symbols = list(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
    if not symbols or not all(map(SYMBOL.fullmatch, symbols)):
        raise UnknownSymbol(f"{text[:80]!a} are no symbols: use e.g. XAUUSD,EURUSD")
    return symbols


def find_instrument(text: str, instruments: Mapping[str, Instrument]) -> Instrument:
    """Look up the instrument of that symbol, in whatever letters; raises `UnknownSymbol`."""
    symbol = normalised_symbol(text)
    # The database has a symbol as its broker writes it: EURUSDm.
    written = {each.upper(): each for each in instruments}
    if symbol in written:
        return instruments[written[symbol]]
    near = get_close_matches(symbol, written, n=1, cutoff=0.7)
    meant = f" (is {written[near[0]]} meant?)" if near else ""
    known = ", ".join(instruments) or "none"
    raise UnknownSymbol(f"{symbol} is no instrument that is known here{meant}; known are {known}.")
