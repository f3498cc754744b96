"""`manage.py reliability`: did higher confluence scores do better, and better than chance?"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports_app.assessment.reliability import reliability
from reports_app.assessment.reliability_study import Study, score_study
from reports_app.experiments.setup import LIVE, default_setup, stored_setup
from reports_app.experiments.study_data import StudySpan, study_beside_live, study_of_files
from reports_app.management.argument_types import day, writable_file
from reports_app.management.market_arguments import (
    add_strategy_arguments,
    add_workers_argument,
    refusing_bad_input,
)
from reports_app.rendering.console import console_on, progress, write_json
from reports_app.rendering.reliability_chart import write_reliability_png
from reports_app.rendering.reliability_report import print_reliability, reliability_as_json
from signals_app.management.candle_arguments import add_source_timezone_argument
from signals_app.management.database import open_database

_WIDTH = 100


class Command(BaseCommand):
    """Scores every close of M15 candles by the live engine; with files it needs no database."""

    help = "Say, band by band, whether higher scores did better than lower and random ones."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "history",
            type=Path,
            nargs="*",
            help="M15 candle files, or directories of them; without any, the database's own "
            "history, beside what its live signals did",
        )
        parser.add_argument("--symbol", default="XAUUSD")
        add_source_timezone_argument(parser)
        parser.add_argument("--from", type=day, dest="begin", help="first day (UTC)")
        parser.add_argument("--to", type=day, dest="end", help="first day that does not count")
        add_strategy_arguments(parser)
        add_workers_argument(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")
        parser.add_argument(
            "--png",
            type=writable_file,
            metavar="FILE",
            help="draw the bands as well, into this file",
        )

    def handle(self, **options: Any) -> None:
        with refusing_bad_input():
            study = _study(options)
        if study.is_empty:
            nothing = f"There are no M15 candles of {study.instrument.symbol} in that span."
            raise CommandError("\n".join(study.left_out) or nothing, returncode=2)
        with progress(quiet=not self.stderr.isatty()) as on_progress:
            scored = score_study(study, options["begin"], on_progress, workers=options["workers"])
        found = reliability(scored, study.parameters.threshold)
        if options["json"]:
            write_json(self.stdout, reliability_as_json(study, found))
        else:
            print_reliability(console_on(self.stdout, width=_WIDTH), study, found)
        # Last, so that no picture costs the answer.
        if options["png"] is not None:
            try:
                write_reliability_png(found, study.instrument.symbol, options["png"])
            except OSError as error:
                raise CommandError(f"The picture cannot be written: {error}") from None


def _study(options: dict[str, Any]) -> Study:
    """Ask the database only where its strategy, its candles or its live record are wanted."""
    span = StudySpan(options["begin"], options["end"])
    data = options["history"], options["symbol"], options["source_timezone"]
    if options["history"] and options["strategy"] is None and options["data_dir"] is None:
        return study_of_files(*data, default_setup(), span)
    with open_database(options["data_dir"], by="reliability"):
        return study_beside_live(*data, stored_setup(options["strategy"] or LIVE), span)
