"""`manage.py candles TICKS --symbol S --timeframe TF`: ticks to candles, offline."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signals_app.importers.tick_files import MarketFileError, open_ticks, read_ticks
from signals_app.management.candle_arguments import (
    add_quote_arguments,
    add_source_timezone_argument,
    known_instruments,
    tick_reading,
)
from signals_app.management.candle_table import candle_table
from signals_app.management.database import add_data_dir_argument
from signals_app.market.aggregation import candles_of
from signals_app.market.candle import TIMEFRAMES, Timeframe, candle_as_json
from signals_app.market.symbols import UnknownSymbol


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
            reading = tick_reading(options, known)
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
            self.stdout.write(candle_table(candles))
