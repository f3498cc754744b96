"""`manage.py calibrate`: how often order blocks, gaps and sweeps held, measured on history."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports_app.experiments.calibration_run import (
    CalibrationRun,
    calibrate_and_store,
    calibrate_only,
)
from reports_app.management.history_arguments import add_history_arguments, history_choice
from reports_app.rendering.calibration_report import WIDTH, calibration_as_json, print_calibrations
from reports_app.rendering.console import console_on, progress, write_json
from signals_app.importers.candle_files import MarketFileError
from signals_app.management.database import NoDatabase, add_data_dir_argument, open_database
from signals_app.services.price_history import SimulatedHistory


class Command(BaseCommand):
    """Measures price history, from files or from the database, and stores what it found."""

    help = (
        "Measure how often order blocks, gaps and sweeps came to +1 R before -1 R, against random "
        "entries and placebos."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_history_arguments(parser)
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
            run = self._run(options)
        except (MarketFileError, SimulatedHistory) as error:
            raise CommandError(str(error), returncode=2) from None
        if not run.reports:
            nothing = "There are no candles of M15, H1 or H4 to measure."
            raise CommandError("\n".join(run.left_out) or nothing, returncode=2)
        if options["json"]:
            write_json(self.stdout, list(map(calibration_as_json, run.reports)))
            for each in run.left_out:
                self.stderr.write(f"Left out: {each}")
            for each in run.notes:
                self.stderr.write(each)
        else:
            console = console_on(self.stdout, width=WIDTH)
            print_calibrations(console, run.reports, run.left_out, run.notes)

    def _run(self, options: Mapping[str, Any]) -> CalibrationRun:
        choice = history_choice(options)
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
