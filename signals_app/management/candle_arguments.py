"""Options of every command that reads a file of prices."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from signals_app.management.database import open_database
from signals_app.market.built_in import BUILT_IN
from signals_app.market.instrument import PRICE_DECIMALS, Instrument
from signals_app.market.symbols import find_instrument, normalised_symbol

# For argparse `-05:00` is an option, unless it looks like a negative number.
_NEGATIVE = re.compile(r"-\d+(?::?\d+)?|-\d*\.\d+")


def add_source_timezone_argument(parser: ArgumentParser) -> None:
    """Add `--source-timezone`, the clock of times that say no offset; UTC without it.

    An offset west of UTC needs no equals sign.
    """
    parser._negative_number_matcher = _NEGATIVE
    parser.add_argument(
        "--source-timezone",
        default="utc",
        help="clock of times without an offset: utc (default), server-eu, server-us, an IANA "
        "name, +02:00 or -05:00; the name of a history file may end in it (_UTC, _SERVER-EU, "
        "_SERVER-US)",
    )


def add_quote_arguments(parser: ArgumentParser) -> None:
    """Add `--digits`, `--default-spread` and `--instrument`: how the symbol is quoted."""
    parser.add_argument(
        "--digits",
        type=_digits,
        help="decimals of a point, in which a file's whole spreads are (the instrument's)",
    )
    parser.add_argument(
        "--default-spread",
        type=_spread,
        metavar="PRICE",
        help="the spread where a file of candles has none (the instrument's)",
    )
    parser.add_argument(
        "--instrument",
        action="store_true",
        help="take the instrument from the database, for symbols that are not built in",
    )


def known_instruments(options: Mapping[str, Any], *, by: str) -> Mapping[str, Instrument]:
    """The instruments of the database where `--instrument` asks for them, else the built-in ones.

    ``by`` names the command. Raises `CommandError` where the database cannot be used.
    """
    if not options["instrument"]:
        return BUILT_IN
    with open_database(options["data_dir"], by=by):
        # Here: the stack takes its options before Django has its settings.
        from signals_app.services.price_history import instruments_by_symbol

        return instruments_by_symbol()


def with_quotes(instrument: Instrument, options: Mapping[str, Any]) -> Instrument:
    """The instrument, quoted as `--digits` and `--default-spread` say."""
    given = {name: options[name] for name in ("digits", "default_spread")}
    return replace(instrument, **{name: one for name, one in given.items() if one is not None})


def _digits(text: str) -> int:
    if not text.isdigit() or int(text) > PRICE_DECIMALS:
        raise ArgumentTypeError(f"{text!r} is no whole number from 0 to {PRICE_DECIMALS}")
    return int(text)


def _spread(text: str) -> float:
    try:
        spread = float(text)
    except ValueError:
        spread = -1.0
    if not 0 <= spread < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no price from 0 up")
    return spread


def tick_reading(options: Mapping[str, Any], known: Mapping[str, Instrument]) -> dict[str, Any]:
    """How the file is read. Candles are of bids: an unknown symbol needs no spread."""
    symbol = normalised_symbol(options["symbol"])
    if options["instrument"]:
        found: Instrument | None = find_instrument(symbol, known)
    else:
        found = known.get(symbol)
    digits, spread = options["digits"], options["default_spread"]
    if digits is None:
        digits = found.digits if found else PRICE_DECIMALS
    if spread is None:
        spread = found.default_spread if found else 0.0
    return {
        "symbol": symbol,
        "source_timezone": options["source_timezone"],
        "digits": digits,
        "default_spread": spread,
    }
