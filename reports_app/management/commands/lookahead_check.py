"""`manage.py lookahead_check`: prove on a file that nothing was known before its time."""

import gc
import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports_app.assessment.truncation import Comparison, compare, cut_places
from reports_app.backtest.columns import CandleLog
from reports_app.backtest.result import BacktestResult
from reports_app.experiments.copies import shortened_copy
from reports_app.experiments.files import (
    BadInput,
    CandleFileError,
    Market,
    Step,
    TickFileError,
    open_market,
)
from reports_app.management.common import (
    REFUSALS,
    add_run_arguments,
    market_arguments,
    natural,
    positive,
    progress,
    setup_of,
)
from signals_app.confluence.parameters import Parameters
from signals_app.market.calendar import iso
from signals_app.market.candle import Candles


class Command(BaseCommand):
    """Runs the whole file once, then shortened copies, and compares what was known by then."""

    help = (
        "Prove on your own file that no signal, trade or finding depends on later data. "
        "Ends with 0 where none does, with 1 where one does."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, how often to shorten it, and how to tell."""
        add_run_arguments(parser)
        parser.add_argument(
            "--cuts", type=positive, default=12, help="how many shortened copies to run (12)"
        )
        parser.add_argument(
            "--seed", type=natural, default=1, help="of the choice where to cut (1)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")

    def handle(self, **options: Any) -> None:
        """Compare; the exit code says whether all is well."""
        gc.freeze()
        try:
            setup = setup_of(options)
            arguments = market_arguments(options, setup.instrument(options["symbol"]))
            with progress(quiet=not self.stderr.isatty()) as step:
                proofs = _prove(arguments, setup.parameters, options["cuts"], options["seed"], step)
        except REFUSALS as error:
            raise CommandError(str(error), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(proofs)))
        else:
            self.stdout.write(_verdict(proofs))
        if any(proof.found.difference for proof in proofs):
            raise SystemExit(1)


@dataclass(frozen=True, slots=True)
class _Proof:
    """One shortened copy: its rows, when it ended, and what came of the comparison."""

    rows: int
    ended_ms: int
    is_after_signal: bool
    found: Comparison


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """A file that was run: what came of it, and its candles."""

    market: Market
    result: BacktestResult
    candles: Candles

    @property
    def rows(self) -> int:
        """Return how many rows were used, not counting ticks that were refused."""
        return self.row_of(self.last_ordinal)

    @property
    def last_ordinal(self) -> int:
        """Return the number of the last quote; a candle's own are its open and its end."""
        if self.market.candles is not None:
            return 2 * len(self.market.candles) - 1
        return self.result.ticks

    def row_of(self, ordinal: int) -> int:
        """Return the row that holds the quote of this number."""
        if self.market.candles is not None:
            return (ordinal + 1) // 2
        return -(-ordinal // 4) if self.market.of_minutes else ordinal


def _prove(
    arguments: Mapping[str, Any], parameters: Parameters, cuts: int, seed: int, step: Step
) -> list[_Proof]:
    whole = _run(arguments, parameters, step, "of the whole file")
    if whole.rows < 2:
        raise BadInput(f"{whole.market.path} is too short to be shortened.")
    entered = [whole.row_of(signal.entry_ordinal) for signal in whole.result.signals]
    places = cut_places(entered, whole.rows, cuts, seed=seed)
    source = "ticks" if arguments["ticks"] is not None else "candles"
    proofs = []
    with TemporaryDirectory() as directory:
        for number, place in enumerate(places, 1):
            copy = shortened_copy(whole.market.path, place, Path(directory))
            which = f"of copy {number} of {len(places)}"
            try:
                part = _run({**arguments, source: copy}, parameters, step, which)
            except (BadInput, CandleFileError, TickFileError):
                # A few rows are no file of their own: it says nothing, so nothing too early.
                continue
            found = compare(
                whole.result, part.result, part.last_ordinal, whole.candles, part.candles
            )
            ended_ms = part.result.last_time_ms
            if ended_ms is None:
                continue
            proofs.append(_Proof(place, ended_ms, part.rows in entered, found))
            if found.difference is not None:
                return proofs
    if not any(proof.found.signals + proof.found.findings for proof in proofs):
        raise BadInput(
            f"There is nothing to compare: {whole.market.path}, shortened, gave no signal and no "
            "finding of the detectors. Nothing is proven; give a longer file."
        )
    return proofs


def _run(arguments: Mapping[str, Any], parameters: Parameters, step: Step, which: str) -> _Run:
    market = open_market(**arguments)
    log = CandleLog()
    result = market.run(
        parameters, lambda done, total, what: step(done, total, f"{what} {which}"), log
    )
    return _Run(market, result, log.candles() if market.candles is None else market.candles)


def _verdict(proofs: list[_Proof]) -> str:
    last = proofs[-1]
    if last.found.difference is not None:
        differs = last.found.difference
        return (
            f"LOOKAHEAD: something was known before its time. When the file ends at "
            f"{iso(last.ended_ms)}, {differs.what} is {differs.by_then}; with what came after, "
            f"it is {differs.afterwards}."
        )
    after_signals = sum(proof.is_after_signal for proof in proofs)
    compared = {
        name: sum(getattr(proof.found, name) for proof in proofs)
        for name in ("signals", "events", "findings")
    }
    told = (
        f"No lookahead found: {len(proofs)} copies of the file, each cut off somewhere "
        f"({after_signals} of them just after a signal), said about what was known by then exactly "
        f"what the whole file says. Compared: {compared['signals']:,} signals, "
        f"{compared['events']:,} trade events and {compared['findings']:,} findings."
    )
    warning = _warning(proofs)
    return f"{told} {warning}" if warning else told


def _warning(proofs: list[_Proof]) -> str | None:
    if any(proof.found.signals for proof in proofs):
        return None
    return (
        "But the copies gave no signal, so of signals and trades nothing is proven: give a longer "
        "file, its --history or a lower --set threshold."
    )


def _as_json(proofs: list[_Proof]) -> dict[str, Any]:
    return {
        "lookahead": any(proof.found.difference for proof in proofs),
        "verdict": _verdict(proofs),
        "warning": _warning(proofs),
        "cuts": [
            {
                "length": proof.rows,
                "ended": iso(proof.ended_ms),
                "after_signal": proof.is_after_signal,
                "signals": proof.found.signals,
                "events": proof.found.events,
                "findings": proof.found.findings,
                "difference": (
                    None
                    if proof.found.difference is None
                    else {
                        "what": proof.found.difference.what,
                        "by_then": proof.found.difference.by_then,
                        "afterwards": proof.found.difference.afterwards,
                    }
                ),
            }
            for proof in proofs
        ],
    }
