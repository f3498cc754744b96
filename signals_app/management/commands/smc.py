"""`manage.py smc`: the detectors on a file of candles, and how often such findings held."""

import json
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from signals_app.importers.candle_files import MarketFileError, read_candle_file
from signals_app.management.candle_arguments import add_source_timezone_argument
from signals_app.management.database import open_database
from signals_app.management.smc_page import SmcPage, sample_note
from signals_app.market.calendar import utc
from signals_app.market.candle import Timeframe
from signals_app.market.rounding import unsigned_zeros
from signals_app.market.symbols import UnknownSymbol, normalised_symbol
from signals_app.services.probabilities import FindingProbabilities, finding_probabilities
from signals_app.smc.analysis import analyse, as_json


class Command(BaseCommand):
    """Reads candles, prints what the detectors find in them; needs no database.

    Where there is one, the page for people says what was measured of such findings.
    """

    help = "Find swings, gaps, order blocks, structure and liquidity in a file of candles."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the file, what it holds and how to print."""
        parser.add_argument("file", help="candles: ISO CSV, MetaTrader 5 or Dukascopy export, .gz")
        parser.add_argument("--symbol", required=True, help="for example XAUUSD")
        parser.add_argument("--timeframe", required=True, choices=[str(name) for name in Timeframe])
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")
        parser.add_argument(
            "--data-dir",
            type=Path,
            help="an embedded stack's data directory, whose measured probabilities are shown",
        )
        add_source_timezone_argument(parser)

    def handle(self, **options: Any) -> None:
        """Analyse the whole file as one window."""
        timeframe = Timeframe(options["timeframe"])
        try:
            symbol = normalised_symbol(options["symbol"])
            file = read_candle_file(options["file"], options["source_timezone"])
            # One file is looked at alone: nothing of another grid is mixed in.
            file.check(timeframe, allows_broker_clock=True)
        except (MarketFileError, UnknownSymbol) as error:
            raise CommandError(str(error), returncode=2) from None
        note = file.brokers_clock(timeframe)
        if note is not None:
            self.stderr.write(note)
        candles = file.candles
        analysis = analyse(candles)
        if options["json"]:
            self.stdout.write(json.dumps(unsigned_zeros(as_json(analysis, symbol, timeframe))))
            return
        last_opening = utc(int(candles.time_ms[-1]))
        known, note = _probabilities(symbol, timeframe, last_opening, options["data_dir"])
        page = SmcPage(symbol, timeframe, candles, analysis, known, note)
        page.print_on(Console(file=cast("IO[str]", self.stdout)))


def _probabilities(
    symbol: str, timeframe: Timeframe, ended_by: datetime, data_dir: Path | None
) -> tuple[FindingProbabilities, str]:
    """What was measured before the last candle, and a sentence about where that is from."""
    try:
        with open_database(data_dir, by="smc"):
            known = finding_probabilities(symbol, timeframe, ended_by=ended_by)
    except CommandError as refusal:
        if data_dir is not None:
            raise
        return FindingProbabilities(), f"Probabilities are not measured here: {refusal}"
    return known, sample_note(known, symbol, timeframe)
