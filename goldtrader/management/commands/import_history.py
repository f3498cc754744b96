"""`manage.py import_history FILE --symbol S --timeframe TF`: price history into the database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports_app.rendering.console import progress
from signals_app.importers.candle_files import MarketFileError, read_candle_file
from signals_app.management.candle_arguments import add_source_timezone_argument
from signals_app.management.database import add_data_dir_argument, open_database
from signals_app.market.calendar import iso
from signals_app.market.candle import Timeframe
from signals_app.services.price_history import import_candles


class Command(BaseCommand):
    """Reads the whole file before anything is stored."""

    help = "store closed candles; the file's form (ISO CSV, MetaTrader 5, Dukascopy) is recognised"
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the file, what it holds, and where it goes."""
        parser.add_argument("file", type=Path, help="candle CSV, also .gz")
        parser.add_argument("--symbol", required=True)
        parser.add_argument(
            "--timeframe",
            required=True,
            type=str.upper,
            choices=[timeframe.value for timeframe in Timeframe],
        )
        add_source_timezone_argument(parser)
        add_data_dir_argument(parser)

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Store the candles; those that ticks made stay as they are."""
        symbol, timeframe = options["symbol"], Timeframe(options["timeframe"])
        try:
            read = read_candle_file(options["file"], options["source_timezone"])
            read.check(timeframe)
            with (
                open_database(options["data_dir"], by="import_history"),
                progress(quiet=not self.stderr.isatty()) as on_progress,
            ):
                found = import_candles(symbol, timeframe, read.candles, on_progress=on_progress)
        except MarketFileError as error:
            raise CommandError(str(error), returncode=2) from None
        first, last = read.candles[0], read.candles[len(read.candles) - 1]
        self.stdout.write(
            f"{options['file']}: {len(read.candles)} candles of {symbol} {timeframe}, "
            f"{iso(first.time_ms)} to {iso(last.time_ms)} ({read.assumed}); {found.new} are new, "
            f"{found.usable - found.new} were there already, {len(read.candles) - found.usable} "
            "lie behind the first tick that the server has and were left out."
        )
