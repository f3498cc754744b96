"""`manage.py import_history FILE --symbol S --timeframe TF`: price history into the database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports_app.rendering.console import progress
from signals_app.importers.candle_files import (
    MarketFileError,
    OpenedCandleFile,
    open_candle_file,
)
from signals_app.management.candle_arguments import add_source_timezone_argument
from signals_app.management.database import add_data_dir_argument, open_database
from signals_app.market.calendar import iso
from signals_app.market.candle import Timeframe
from signals_app.market.symbols import UnknownSymbol, find_instrument
from signals_app.services.candle_import import ImportedCandles, import_candle_file
from signals_app.services.instruments import ensure_instrument
from signals_app.services.price_history import instruments_by_symbol


class Command(BaseCommand):
    """Stores all of the file, or nothing."""

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
        timeframe = Timeframe(options["timeframe"])
        with (
            open_database(options["data_dir"], by="import_history"),
            progress(quiet=not self.stderr.isatty()) as on_progress,
        ):
            try:
                symbol = find_instrument(options["symbol"], instruments_by_symbol()).symbol
                file = open_candle_file(options["file"], options["source_timezone"])
                found = import_candle_file(
                    symbol, timeframe, file, lambda done: on_progress(done, file.size, "Importing")
                )
                # A file that is refused leaves nothing behind.
                ensure_instrument(symbol)
            except (MarketFileError, UnknownSymbol) as error:
                raise CommandError(str(error), returncode=2) from None
        self.stdout.write(f"{options['file']}: {_summary(symbol, timeframe, file, found)}")


def _summary(
    symbol: str, timeframe: Timeframe, file: OpenedCandleFile, found: ImportedCandles
) -> str:
    made = f"built from the stored {found.built_from}" if found.built_from else file.assumed
    return (
        f"{found.read} candles of {symbol} {timeframe}, {iso(found.first_ms)} to "
        f"{iso(found.last_ms)} ({made}); {found.new} are new, {found.known} were there already, "
        f"{found.late} lie behind the first tick that the server has and were left out."
    )
