"""`manage.py lookahead_check`: prove on a file that nothing was known before its time."""

import gc
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from reports_app.assessment.lookahead import check_lookahead
from reports_app.management.argument_types import natural, positive
from reports_app.management.market_arguments import (
    add_run_arguments,
    add_workers_argument,
    market_arguments,
    refusing_bad_input,
    setup_of,
)
from reports_app.rendering.console import progress, write_json
from reports_app.rendering.lookahead_report import lookahead_as_json, lookahead_verdict


class Command(BaseCommand):
    """Runs the whole file once, then shortened copies, and compares what was known by then."""

    help = (
        "Prove on your own file that no signal, trade or finding depends on later data. "
        "Ends with 0 where none does, with 1 where one does."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_run_arguments(parser)
        add_workers_argument(parser)
        parser.add_argument(
            "--cuts", type=positive, default=12, help="how many shortened copies to run (12)"
        )
        parser.add_argument(
            "--seed", type=natural, default=1, help="of the choice where to cut (1)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")

    def handle(self, **options: Any) -> None:
        gc.freeze()
        with refusing_bad_input():
            setup = setup_of(options)
            market = market_arguments(options, setup)
            with progress(quiet=not self.stderr.isatty()) as on_progress:
                cuts = check_lookahead(
                    market,
                    setup.parameters,
                    cuts=options["cuts"],
                    seed=options["seed"],
                    workers=options["workers"],
                    on_progress=on_progress,
                )
        if options["json"]:
            write_json(self.stdout, lookahead_as_json(cuts))
        else:
            self.stdout.write(lookahead_verdict(cuts))
        if any(cut.comparison.difference for cut in cuts):
            raise SystemExit(1)
