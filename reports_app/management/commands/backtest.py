"""`manage.py backtest`: the signals and trades of the live engine over a file."""

import gc
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports_app.assessment.assessment import assess
from reports_app.backtest.market_files import open_market
from reports_app.experiments.settings_tried import count_settings
from reports_app.management.argument_types import natural
from reports_app.management.market_arguments import (
    add_run_arguments,
    add_workers_argument,
    market_arguments,
    refusing_bad_input,
    setup_of,
)
from reports_app.rendering.backtest_page import page
from reports_app.rendering.backtest_report import BacktestReport, print_report, report_as_json
from reports_app.rendering.console import console_on, progress, write_json


class Command(BaseCommand):
    """Runs the engine over a file of ticks or candles; needs no database but for a strategy."""

    help = "Say which signals and trades the live engine would have made on a file."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_run_arguments(parser)
        add_workers_argument(parser)
        parser.add_argument(
            "--seed", type=natural, default=1, help="of the draws that say what chance does (1)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")
        parser.add_argument(
            "--html", type=Path, metavar="FILE", help="also write a page with charts"
        )

    def handle(self, **options: Any) -> None:
        # What is imported stays: the collector need not walk it again and again.
        gc.freeze()
        with refusing_bad_input():
            setup = setup_of(options)
            market = open_market(**market_arguments(options, setup))
            with progress(quiet=not self.stderr.isatty()) as on_progress:
                run = market.run_with_candles(
                    setup.parameters, on_progress, workers=options["workers"]
                )
            tried = count_settings(market, [setup.parameters])
        assessment = assess(
            run.result, run.candles, run.spreads, seed=options["seed"], settings_tried=tried
        )
        report = BacktestReport(run.result, assessment, market.assumed, setup.source)
        if options["html"] is not None:
            _write(options["html"], page(report))
        if options["json"]:
            write_json(self.stdout, report_as_json(report))
            return
        console = console_on(self.stdout)
        print_report(console, report)
        if options["html"] is not None:
            console.print(f"The page is in {options['html']}.")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.", returncode=2) from None
