"""`manage.py optimise`: search settings, and say first how the choice did on unseen data."""

import gc
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports_app.assessment.walk_forward import judge
from reports_app.backtest.market_files import open_market
from reports_app.experiments.candidates import candidates
from reports_app.experiments.search import Place, search
from reports_app.experiments.settings_tried import count_settings
from reports_app.experiments.trials import LostTrial
from reports_app.management.market_arguments import (
    add_run_arguments,
    market_arguments,
    refusing_bad_input,
    setup_of,
)
from reports_app.management.search_arguments import add_search_arguments
from reports_app.rendering.console import console_on, progress, write_json
from reports_app.rendering.search_report import SearchReport, print_search, search_as_json
from reports_app.tasks import run_trial


class Command(BaseCommand):
    """Tries many settings on one file, on a stack's workers or on this machine's processors."""

    help = (
        "Search among settings on a file, walk forward, and say how likely the best is luck. "
        "Example: --param threshold=75:90:5 --param stop_buffer_atr=0.25,0.5,0.75"
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_run_arguments(parser)
        add_search_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")

    def handle(self, **options: Any) -> None:
        gc.freeze()
        try:
            with refusing_bad_input():
                report = self._search(options)
        except LostTrial as error:
            raise CommandError(str(error), returncode=1) from None
        if options["json"]:
            write_json(self.stdout, search_as_json(report))
        else:
            print_search(console_on(self.stdout), report)

    def _search(self, options: dict[str, Any]) -> SearchReport:
        setup, ranges = setup_of(options), dict(options["ranges"])
        arguments = market_arguments(options, setup)
        market = open_market(**arguments)
        seed = options["seed"]
        tried = candidates(setup.parameters, ranges, count=options["random"], seed=seed)
        with progress(quiet=not self.stderr.isatty()) as on_progress:
            found = search(
                arguments,
                tried,
                task=run_trial,
                place=Place(options["workers"]),
                processes=options["processes"],
                on_progress=on_progress,
                on_lost=lambda lost: self.stderr.write(
                    f"{lost} The rest is tried by processes of this machine."
                ),
            )
        return SearchReport(
            symbol=market.instrument.symbol,
            trials=found.trials,
            verdict=judge(found.trials, folds=options["folds"], seed=seed),
            parameters=tuple(ranges),
            where=found.where,
            settings=setup.source,
            settings_tried=count_settings(market, tried),
        )
