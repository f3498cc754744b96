"""`manage.py lookahead_check`: prove on a file that nothing was known before its time."""

import gc
import json
from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports_app.backtest.columns import CandleLog
from reports_app.backtest.result import BacktestResult
from reports_app.backtest.truncation import Comparison, compare, cut_places
from reports_app.management.common import (
    REFUSALS,
    Step,
    add_market_arguments,
    add_settings_argument,
    add_strategy_arguments,
    market_of,
    natural,
    positive,
    progress,
    setup_of,
)
from reports_app.research.files import BadInput, Market
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
        add_market_arguments(parser)
        add_settings_argument(parser)
        add_strategy_arguments(parser)
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
            market = market_of(options, setup)
            with progress(None, quiet=not self.stderr.isatty()) as step:
                proofs = _prove(market, setup.parameters, options["cuts"], options["seed"], step)
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
    """One shortened copy: how long it was, when it ended, and what came of the comparison."""

    length: int
    ended_ms: int
    is_after_signal: bool
    found: Comparison


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    result: BacktestResult
    candles: Candles


def _prove(
    market: Market, parameters: Parameters, cuts: int, seed: int, step: Step
) -> list[_Proof]:
    whole = _run(market, parameters, step, "of the whole file")
    entered = [_length(market, signal.entry_ordinal) for signal in whole.result.signals]
    length = market.total if market.total is not None else whole.result.ticks
    if length < 2:
        raise BadInput(f"{market.path} is too short to be shortened.")
    places = cut_places(entered, length, cuts, seed=seed)
    proofs = []
    for number, place in enumerate(places, 1):
        part = _run(market.shortened(place), parameters, step, f"of copy {number} of {len(places)}")
        last_ordinal = place if market.candles is None else 2 * place - 1
        found = compare(whole.result, part.result, last_ordinal, whole.candles, part.candles)
        ended_ms = part.result.last_time_ms
        assert ended_ms is not None
        proofs.append(_Proof(place, ended_ms, place in entered, found))
        if found.difference is not None:
            break
    return proofs


def _run(market: Market, parameters: Parameters, step: Step, which: str) -> _Run:
    log = CandleLog()
    result = market.run(parameters, lambda done, what: step(done, f"{what} {which}"), log)
    return _Run(result, log.candles() if market.candles is None else market.candles)


def _length(market: Market, entry_ordinal: int) -> int:
    """Return the length of the shortest copy that holds the entry."""
    return entry_ordinal if market.candles is None else (entry_ordinal + 1) // 2


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
    return (
        f"No lookahead found: {len(proofs)} copies of the file, each cut off somewhere "
        f"({after_signals} of them just after a signal), said about what was known by then exactly "
        f"what the whole file says. Compared: {compared['signals']:,} signals, "
        f"{compared['events']:,} trade events and {compared['findings']:,} findings."
    )


def _as_json(proofs: list[_Proof]) -> dict[str, Any]:
    return {
        "lookahead": any(proof.found.difference for proof in proofs),
        "verdict": _verdict(proofs),
        "cuts": [
            {
                "length": proof.length,
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
