"""`manage.py backtest`: the signals and trades of the live engine over a file."""

import gc
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from reports_app.assessment.assessment import Assessment, assess
from reports_app.backtest.columns import CandleLog
from reports_app.backtest.result import BacktestResult
from reports_app.experiments.files import Market, fingerprint
from reports_app.experiments.variants import count_variant
from reports_app.management.common import (
    REFUSALS,
    add_run_arguments,
    market_of,
    natural,
    progress,
    setup_of,
)
from reports_app.rendering.page import page
from reports_app.rendering.report import backtest_as_json, print_report
from signals_app.confluence.parameters import Parameters

_WIDTH = 110


class Command(BaseCommand):
    """Runs the engine over a file of ticks or candles; needs no database but for a strategy."""

    help = "Say which signals and trades the live engine would have made on a file."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, the history before it, the span and how to tell."""
        add_run_arguments(parser)
        parser.add_argument(
            "--seed", type=natural, default=1, help="of the draws that say what chance does (1)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")
        parser.add_argument(
            "--html", type=Path, metavar="FILE", help="also write a page with charts"
        )

    def handle(self, **options: Any) -> None:
        """Run, then tell."""
        # What is imported stays: the collector need not walk it again and again.
        gc.freeze()
        try:
            setup = setup_of(options)
            market = market_of(options, setup)
            log = CandleLog()
            with progress(quiet=not self.stderr.isatty()) as step:
                result = market.run(setup.parameters, step, log)
        except REFUSALS as error:
            raise CommandError(str(error), returncode=2) from None
        assessed = _assessed(market, setup.parameters, result, log, options["seed"])
        if options["html"] is not None:
            _write(options["html"], page(result, assessed, market.assumed, setup.told))
        if options["json"]:
            self.stdout.write(json.dumps(backtest_as_json(result, assessed)))
            return
        console = Console(file=cast("IO[str]", self.stdout), highlight=False)
        # Too narrow a window breaks lines, but no figure is cut.
        console.width = max(console.width, _WIDTH)
        print_report(console, result, assessed, market.assumed, setup.told)
        if options["html"] is not None:
            console.print(f"The page is in {options['html']}.")


def _assessed(
    market: Market, parameters: Parameters, result: BacktestResult, log: CandleLog, seed: int
) -> Assessment:
    if market.candles is not None and market.spreads is not None:
        candles, spreads = market.candles, market.spreads
    else:
        candles, spreads = log.candles(), log.spreads()
    tried = count_variant(fingerprint(market.path), market.instrument.symbol, parameters)
    return assess(result, candles, spreads, seed=seed, variants_tried=tried)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.", returncode=2) from None
