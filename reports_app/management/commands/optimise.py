"""`manage.py optimise`: search settings, and say first how the choice did on unseen data."""

import gc
import json
import math
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from reports_app.experiments.files import BadInput, Market, fingerprint, open_market
from reports_app.experiments.search import (
    Figures,
    Ranges,
    Trial,
    Verdict,
    figures,
    grid,
    judge,
    sample,
)
from reports_app.experiments.spread import (
    LostTrial,
    Trades,
    Workers,
    by_processes,
    by_workers,
    find_workers,
    processors,
)
from reports_app.experiments.trials import plain_market, plain_parameters, trial_of
from reports_app.experiments.variants import count_variant
from reports_app.management.common import (
    REFUSALS,
    add_run_arguments,
    market_arguments,
    natural,
    positive,
    progress,
    setup_of,
)
from signals_app.confluence.limits import BadParameter, check_value, read_value
from signals_app.confluence.parameters import Parameters
from signals_app.market.calendar import iso, utc

_WIDTH = 110
_SHOWN = 10
#: Combinations above which a whole grid needs to be asked for by name.
_WHOLE_GRID = 500
#: Of one parameter.
_MOST_VALUES = 10_000


class Command(BaseCommand):
    """Tries many settings on one file, on a stack's workers or on this machine's processors."""

    help = (
        "Search among settings on a file, walk forward, and say how likely the best is luck. "
        "Example: --param threshold=75:90:5 --param stop_buffer_atr=0.25,0.5,0.75"
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, the ranges, how to search, and where."""
        add_run_arguments(parser)
        parser.add_argument(
            "--param",
            action="append",
            required=True,
            type=_range,
            metavar="NAME=LOW:HIGH:STEP",
            dest="ranges",
            help="a parameter's range, or its values: NAME=A,B,C; may be repeated",
        )
        parser.add_argument(
            "--random", type=positive, metavar="N", help="try N combinations instead of all"
        )
        parser.add_argument("--folds", type=positive, default=4, help="steps forward in time (4)")
        parser.add_argument("--seed", type=natural, default=1, help="of every choice and draw (1)")
        parser.add_argument(
            "--workers",
            choices=("auto", "celery", "local"),
            default="auto",
            help="auto (default): a stack's Celery workers where they can be reached",
        )
        parser.add_argument(
            "--processes", type=positive, help="of this machine, when local (one per processor)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")

    def handle(self, **options: Any) -> None:
        """Search, then tell."""
        gc.freeze()
        try:
            setup = setup_of(options)
            arguments = market_arguments(options, setup.instrument(options["symbol"]))
            market = open_market(**arguments)
            candidates = _candidates(setup.parameters, dict(options["ranges"]), options)
            workers = None if options["workers"] == "local" else find_workers()
            if workers is None and options["workers"] == "celery":
                raise BadInput("No stack's workers can be reached; start `manage.py stack`.")
            trials, where = self._try(workers, plain_market(arguments), candidates, options)
        except REFUSALS as error:
            raise CommandError(str(error), returncode=2) from None
        except LostTrial as error:
            raise CommandError(str(error), returncode=1) from None
        found = judge(trials, folds=options["folds"], seed=options["seed"])
        tried = _count_all(market, candidates)
        names = list(dict(options["ranges"]))
        if options["json"]:
            told = _as_json(market, trials, found, names, where=where, tried=tried)
            self.stdout.write(json.dumps({**told, "begun_with": setup.told}))
            return
        console = Console(file=cast("IO[str]", self.stdout), highlight=False)
        console.width = max(console.width, _WIDTH)
        console.print(f"{len(trials)} settings tried on {where}, begun with {setup.told}.\n")
        _print(console, trials, found, names, tried)

    def _try(
        self,
        workers: Workers | None,
        market: dict[str, Any],
        candidates: Sequence[Parameters],
        options: dict[str, Any],
    ) -> tuple[list[Trial], str]:
        """Return all trials and where they ran; processes finish what workers do not."""
        trades: dict[int, Trades] = {}
        places = []
        with progress(quiet=not self.stderr.isatty()) as step:

            def show(told: str) -> None:
                total = len(candidates)
                step(len(trades), total, f"{len(trades)} of {total} settings on {told}")

            def take(found: Iterator[tuple[int, Trades]], told: str) -> None:
                places.append(told)
                show(told)
                for place, result in found:
                    trades[place] = result
                    show(told)

            def left() -> dict[int, dict[str, Any]]:
                return {
                    place: plain_parameters(candidate)
                    for place, candidate in enumerate(candidates)
                    if place not in trades
                }

            if workers is not None:
                try:
                    take(by_workers(workers, market, left()), _counted(workers.at_once, "worker"))
                except LostTrial as lost:
                    if options["workers"] == "celery":
                        raise
                    self.stderr.write(f"{lost} The rest is tried by processes of this machine.")
            if len(trades) < len(candidates):
                count = options["processes"] or processors()
                take(by_processes(count, market, left()), _counted(count, "process"))
        tried = [trial_of(candidates[place], trades[place]) for place in range(len(candidates))]
        return tried, " and ".join(places)


def _counted(count: int, what: str) -> str:
    if what == "worker":
        return "1 Celery worker" if count == 1 else f"{count} Celery workers"
    return "1 process" if count == 1 else f"{count} processes"


def _candidates(base: Parameters, ranges: Ranges, options: dict[str, Any]) -> list[Parameters]:
    if options["random"] is not None:
        return sample(base, ranges, options["random"], seed=options["seed"])
    size = math.prod(len(values) for values in ranges.values())
    if size > _WHOLE_GRID:
        raise BadInput(f"The ranges have {size:,} combinations; choose among them with --random N.")
    return grid(base, ranges)


def _count_all(market: Market, candidates: Sequence[Parameters]) -> int | None:
    digest, tried = fingerprint(market.path), None
    for candidate in candidates:
        tried = count_variant(digest, market.instrument.symbol, candidate)
    return tried


def _print(
    console: Console,
    trials: Sequence[Trial],
    found: Verdict | None,
    names: Sequence[str],
    tried: int | None,
) -> None:
    if found is None:
        console.print("None of them made a trade that closed.")
        return
    for sentence in _sentences(trials, found, names, tried):
        console.print(f"- {sentence}")
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for name in ("not seen: from", "to", "chosen before", "trades", "R", "R when chosen"):
        table.add_column(name, justify="right" if name[0] in "tR" and name != "to" else "left")
    for fold in found.folds:
        table.add_row(
            f"{utc(fold.from_ms):%Y-%m-%d}",
            f"{utc(fold.to_ms):%Y-%m-%d}",
            _setting(trials[fold.chosen], names),
            str(fold.out_of_sample.trades),
            _r(fold.out_of_sample),
            _r(fold.in_sample),
        )
    console.print()
    console.print(table)
    console.print(
        "\nSeen, and therefore worth little: the settings that look best over everything."
    )
    best = Table(box=None, pad_edge=False, header_style="bold")
    best.add_column("setting")
    for name in ("trades", "R", "standard errors"):
        best.add_column(name, justify="right")
    for trial, seen in _ranked(trials)[:_SHOWN]:
        best.add_row(_setting(trial, names), str(seen.trades), _r(seen), f"{seen.t:+.1f}")
    console.print(best)


def _sentences(
    trials: Sequence[Trial], found: Verdict, names: Sequence[str], tried: int | None
) -> Iterator[str]:
    unseen, base = found.out_of_sample, found.baseline
    yield (
        f"Out of sample: chosen each time on the past alone, the settings made {_r(unseen)} R a "
        f"trade over {unseen.trades:,} trades ({unseen.t:+.1f} standard errors from zero). The "
        f"settings one began with made {_r(base)} R over {base.trades:,} in the same time."
    )
    if found.overfitting is None:
        yield "Too few trades or settings to say how often the best of one half fails in the other."
    else:
        yield (
            f"Overfitting: of all ways to halve the time, in {100 * found.overfitting:.0f} of 100 "
            "the best setting of one half was below the middle in the other. 50 is pure chance."
        )
    if found.luck is None:
        yield "Too few weeks to say how likely the best is luck."
    else:
        yield (
            f"Luck: were no setting worth anything, the best of these {len(trials)} would look as "
            f"good as it does in {100 * found.luck:.0f} of 100 cases."
        )
    yield (
        f"In sample the best is {_setting(trials[found.best], names)}, with "
        f"{_r(found.in_sample)} R over {found.in_sample.trades:,} trades."
    )
    if tried is not None:
        yield f"{tried:,} settings have been tried on this file by this user of this machine."


def _ranked(trials: Sequence[Trial]) -> list[tuple[Trial, Figures]]:
    seen = [(trial, figures(trial.r)) for trial in trials]
    return sorted(seen, key=lambda pair: -pair[1].t)


def _setting(trial: Trial, names: Sequence[str]) -> str:
    values = {name: getattr(trial.parameters, name) for name in names}
    return " ".join(
        f"{name}={'none' if value is None else format(value, 'g')}"
        for name, value in values.items()
    )


def _r(found: Figures) -> str:
    return "-" if found.r is None else f"{found.r:+.3f}"


def _as_json(
    market: Market,
    trials: Sequence[Trial],
    found: Verdict | None,
    names: Sequence[str],
    *,
    where: str,
    tried: int | None,
) -> dict[str, Any]:
    def setting(place: int) -> dict[str, Any]:
        return {name: getattr(trials[place].parameters, name) for name in names}

    if found is None:
        return {"out_of_sample": None, "trials": len(trials), "variants_tried": tried}
    return {
        "out_of_sample": asdict(found.out_of_sample),
        "baseline": asdict(found.baseline),
        "probability_of_overfitting": found.overfitting,
        "probability_of_luck": found.luck,
        "folds": [
            {
                "from": iso(fold.from_ms),
                "to": iso(fold.to_ms),
                "chosen": setting(fold.chosen),
                "out_of_sample": asdict(fold.out_of_sample),
                "in_sample": asdict(fold.in_sample),
            }
            for fold in found.folds
        ],
        "in_sample_best": {"setting": setting(found.best)} | asdict(found.in_sample),
        "trials": [
            {"setting": {name: getattr(trial.parameters, name) for name in names}} | asdict(seen)
            for trial, seen in _ranked(trials)
        ],
        "where": where,
        "symbol": market.instrument.symbol,
        "variants_tried": tried,
    }


def _range(text: str) -> tuple[str, tuple[float | None, ...]]:
    name, _, told = text.partition("=")
    try:
        values = tuple(dict.fromkeys(_values(name, told)))
        for value in values:
            check_value(name, value)
    except BadParameter as bad:
        raise ArgumentTypeError(str(bad)) from None
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is neither NAME=LOW:HIGH:STEP nor NAME=A,B,C.") from None
    return name, values


def _values(name: str, told: str) -> list[float | None]:
    if ":" not in told:
        return [read_value(name, part) for part in told.split(",")]
    low, high, step = (float(part) for part in told.split(":"))
    check_value(name, low)
    check_value(name, high)
    # Not a number is not above zero either.
    if not step > 0 or high < low:
        raise ValueError(told)
    steps = (high - low) / step + 1e-9
    if steps >= _MOST_VALUES:
        raise BadParameter(f"{name}={told} has too many values; {_MOST_VALUES:,} at most will do.")
    # Ten decimals: steps of 0.1 do not add up exactly.
    return [round(low + place * step, 10) for place in range(int(steps) + 1)]
