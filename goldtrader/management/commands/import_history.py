"""`manage.py import_history FILE --symbol S --timeframe TF`: price history into the database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from rich.console import Console
from rich.progress import track

from signals_app.importers.candle_files import CandleFileError, read_candle_file
from signals_app.management.database import add_data_dir_argument, open_database
from signals_app.market.calendar import iso
from signals_app.market.candle import Candles, Timeframe
from signals_app.models import PriceCandle
from signals_app.pipeline.wakeups import store_history

_STORED_AT_ONCE = 5_000


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
        parser.add_argument(
            "--source-timezone",
            default="utc",
            help="clock of times that say no offset: utc, server-eu, server-us, a zone or +02:00",
        )
        add_data_dir_argument(parser)

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Store the candles; those that ticks made stay as they are."""
        symbol, timeframe = options["symbol"], Timeframe(options["timeframe"])
        try:
            read = read_candle_file(options["file"], options["source_timezone"])
            with open_database(options["data_dir"], by="import_history"):
                known, kept = self._store(symbol, timeframe, read.candles)
        except CandleFileError as error:
            raise CommandError(str(error), returncode=2) from None
        first, last = read.candles[0], read.candles[len(read.candles) - 1]
        self.stdout.write(
            f"{options['file']}: {len(read.candles)} candles of {symbol} {timeframe}, "
            f"{iso(first.time_ms)} to {iso(last.time_ms)} ({read.assumed}); {kept} are new, "
            f"{known - kept} were there already, {len(read.candles) - known} lie behind the first "
            "tick that the server has and were left out."
        )

    def _store(self, symbol: str, timeframe: Timeframe, candles: Candles) -> tuple[int, int]:
        """Return how many candles may count, and how many of them are new."""
        stored = PriceCandle.objects.filter(instrument=symbol, timeframe=timeframe)
        before, usable = stored.count(), 0
        places = range(0, len(candles), _STORED_AT_ONCE)
        console = Console(stderr=True)
        for place in track(
            places, description="Storing", console=console, disable=not console.is_terminal
        ):
            rows = [
                (c.time_ms, c.open, c.high, c.low, c.close, c.volume)
                for c in candles.part(place, place + _STORED_AT_ONCE)
            ]
            usable += store_history(symbol, timeframe, rows)
        with connection.cursor() as cursor:
            # After a bulk load the planner's figures are those of an empty table.
            cursor.execute("ANALYZE price_history")
        return usable, stored.count() - before
