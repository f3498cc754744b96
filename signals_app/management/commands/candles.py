"""`manage.py candles TICKS --symbol S --timeframe TF`: ticks to candles, offline."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signals_app.importers.tick_files import MarketFileError, open_ticks, read_ticks
from signals_app.management.candle_arguments import (
    add_quote_arguments,
    add_source_timezone_argument,
    known_instruments,
)
from signals_app.management.database import add_data_dir_argument
from signals_app.market.aggregation import candles_of
from signals_app.market.calendar import iso
from signals_app.market.candle import TIMEFRAMES, Candle, Timeframe, candle_as_json
from signals_app.market.instrument import PRICE_DECIMALS, Instrument
from signals_app.market.symbols import UnknownSymbol, find_instrument, normalised_symbol


class Command(BaseCommand):
    """Builds candles by the code that the live pipeline uses.

    Needs no database, unless `--instrument` asks for it.
    """

    help = "build candles from a file of ticks: bid prices, volume in ticks, opening times in UTC"
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the file, how to read it and how to print."""
        parser.add_argument("ticks", help="tick CSV or M1 candle CSV, also .gz")
        parser.add_argument("--symbol", required=True)
        parser.add_argument(
            "--timeframe",
            required=True,
            type=str.upper,
            choices=[timeframe.value for timeframe in TIMEFRAMES],
        )
        add_source_timezone_argument(parser)
        add_quote_arguments(parser)
        add_data_dir_argument(parser)
        parser.add_argument("--json", action="store_true", help="a JSON list on standard output")
        parser.add_argument(
            "--include-forming",
            action="store_true",
            help="also the last candle, which no later tick has closed",
        )

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Print the closed candles, oldest first."""
        known = known_instruments(options, by="candles")
        refused: list[int] = []
        try:
            reading = _reading(options, known)
            self.stderr.write(open_ticks(options["ticks"], **reading).assumed)
            candles = candles_of(
                read_ticks(options["ticks"], **reading, on_refused=refused.append),
                Timeframe(options["timeframe"]),
                include_forming=options["include_forming"],
            )
        except (MarketFileError, UnknownSymbol) as error:
            raise CommandError(str(error), returncode=2) from None
        if refused:
            self.stderr.write(f"{sum(refused):,} ticks jump by over 20 % and were left out.")
        if options["json"]:
            self.stdout.write(json.dumps(list(map(candle_as_json, candles))))
        else:
            self.stdout.write(_as_table(candles))


def _reading(options: Mapping[str, Any], known: Mapping[str, Instrument]) -> dict[str, Any]:
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


def _as_table(candles: list[Candle]) -> str:
    lines = [f"{'time':<20} {'open':>12} {'high':>12} {'low':>12} {'close':>12} {'volume':>8}"]
    for candle in candles:
        prices = (candle.open, candle.high, candle.low, candle.close)
        shown = " ".join(f"{price:>12.{PRICE_DECIMALS}f}" for price in prices)
        lines.append(f"{iso(candle.time_ms):<20} {shown} {int(candle.volume):>8}")
    return "\n".join(lines)
