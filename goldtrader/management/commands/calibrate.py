"""`manage.py calibrate`: how often order blocks, gaps and sweeps held, measured on history."""

from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports_app.experiments.calibration_run import (
    CalibrationRun,
    HistoryChoice,
    calibrate_and_store,
    calibrate_only,
)
from reports_app.rendering.calibration_report import WIDTH, calibration_as_json, print_calibrations
from reports_app.rendering.console import console_on, progress, write_json
from signals_app.importers.candle_files import CandleFileError
from signals_app.importers.candle_series import candle_paths
from signals_app.management.database import NoDatabase, add_data_dir_argument, open_database
from signals_app.market.calendar import milliseconds
from signals_app.market.candle import Timeframe
from signals_app.services.price_history import SimulatedHistory


class Command(BaseCommand):
    """Measures price history, from files or from the database, and stores what it found."""

    help = (
        "Measure how often order blocks, gaps and sweeps came to +1 R before -1 R, against random "
        "entries and placebos."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "history",
            type=Path,
            nargs="*",
            help="candle files or directories, SYMBOL_TIMEFRAME….csv[.gz]; without any, the "
            "database's own history",
        )
        parser.add_argument("--symbol", help="this one alone")
        parser.add_argument("--timeframe", choices=["M15", "H1", "H4"], help="this one alone")
        parser.add_argument(
            "--source-timezone",
            default="utc",
            help="clock of times that say no offset, where a file's name does not end in _UTC, "
            "_SERVER-EU or _SERVER-US: utc, server-eu, server-us, a zone or +02:00",
        )
        parser.add_argument(
            "--until", help="use only outcomes known before this UTC date or time", metavar="DATE"
        )
        parser.add_argument(
            "--store",
            action="store_true",
            help="store what would not be: a look back in time, or fewer outcomes than before",
        )
        add_data_dir_argument(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")

    def handle(self, **options: Any) -> None:
        """Measure, store where there is a database, and print."""
        try:
            run = self._run(options, _choice(options))
        except (CandleFileError, SimulatedHistory) as error:
            raise CommandError(str(error), returncode=2) from None
        if not run.reports:
            nothing = "There are no candles of M15, H1 or H4 to measure."
            raise CommandError("\n".join(run.left_out) or nothing, returncode=2)
        if options["json"]:
            write_json(self.stdout, list(map(calibration_as_json, run.reports)))
            for each in run.left_out:
                self.stderr.write(f"Left out: {each}")
        else:
            print_calibrations(console_on(self.stdout, width=WIDTH), run.reports, run.left_out)

    def _run(self, options: Mapping[str, Any], choice: HistoryChoice) -> CalibrationRun:
        needs_database = choice.paths is None or options["data_dir"] is not None or options["store"]
        with progress(quiet=not self.stderr.isatty()) as on_progress:
            try:
                with open_database(options["data_dir"], by="calibrate"):
                    return calibrate_and_store(
                        choice, is_forced=options["store"], on_progress=on_progress
                    )
            except NoDatabase as error:
                if needs_database:
                    raise
                return calibrate_only(choice, no_database=str(error), on_progress=on_progress)


def _choice(options: Mapping[str, Any]) -> HistoryChoice:
    until_ms = _milliseconds(options["until"])
    symbol, timeframe = options["symbol"], options["timeframe"]
    length = Timeframe(timeframe) if timeframe else None
    zone = options["source_timezone"]
    paths = candle_paths(options["history"], symbol=symbol, timeframe=length, source_timezone=zone)
    return HistoryChoice(paths if options["history"] else None, symbol, length, until_ms)


def _milliseconds(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no date or time like 2017-01-01.", returncode=2) from None
    return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
