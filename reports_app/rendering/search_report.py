"""What a search among settings found, in the terminal and as JSON: what it did not see first."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from reports_app.assessment.trial import Figures, Trial, figures
from reports_app.assessment.walk_forward import SearchVerdict
from reports_app.rendering.console import plain_table
from signals_app.market.calendar import iso, utc

_SHOWN = 10


@dataclass(frozen=True, slots=True, eq=False)
class SearchReport:
    """All that is shown of a search.

    `parameters` names those that were searched, `settings` says where the others come from. The
    verdict is `None` where no trial has a trade. `settings_tried` counts all that were ever tried
    on the file, `None` where nobody counted.
    """

    symbol: str
    trials: Sequence[Trial]
    verdict: SearchVerdict | None
    parameters: Sequence[str]
    where: str
    settings: str
    settings_tried: int | None

    def setting(self, trial: Trial) -> dict[str, Any]:
        """A trial's values of the parameters that were searched."""
        return {name: getattr(trial.parameters, name) for name in self.parameters}

    def ranked(self) -> list[tuple[Trial, Figures]]:
        """All trials, the best in standard errors first."""
        every = [(trial, figures(trial.r)) for trial in self.trials]
        return sorted(every, key=lambda pair: -pair[1].t)


def search_as_json(report: SearchReport) -> dict[str, Any]:
    """The verdict, its steps and all trials, the best first; times ISO 8601."""
    return _verdict_as_json(report) | {"begun_with": report.settings}


def print_search(console: Console, report: SearchReport) -> None:
    """Print the verdict, the steps forward, and the settings that look best."""
    console.print(
        f"{len(report.trials)} settings tried on {report.where}, begun with {report.settings}.\n"
    )
    verdict = report.verdict
    if verdict is None:
        console.print("None of them made a trade that closed.")
        return
    for sentence in _sentences(report, verdict):
        console.print(f"- {sentence}")
    console.print()
    _print_folds(console, report, verdict)
    console.print(
        "\nSeen, and therefore worth little: the settings that look best over everything."
    )
    table = plain_table("setting", "trades", "R", "standard errors")
    for trial, seen in report.ranked()[:_SHOWN]:
        table.add_row(_named(report, trial), str(seen.trades), _r(seen), f"{seen.t:+z.1f}")
    console.print(table)


def _verdict_as_json(report: SearchReport) -> dict[str, Any]:
    found = report.verdict
    if found is None:
        return {
            "out_of_sample": None,
            "trials": len(report.trials),
            "variants_tried": report.settings_tried,
        }
    return {
        "out_of_sample": asdict(found.out_of_sample),
        "baseline": asdict(found.baseline),
        "probability_of_overfitting": found.overfitting,
        "probability_of_luck": found.reality_check,
        "folds": [
            {
                "from": iso(fold.from_ms),
                "to": iso(fold.to_ms),
                "chosen": report.setting(report.trials[fold.chosen]),
                "out_of_sample": asdict(fold.out_of_sample),
                "in_sample": asdict(fold.in_sample),
            }
            for fold in found.folds
        ],
        "in_sample_best": {"setting": report.setting(report.trials[found.best])}
        | asdict(found.in_sample),
        "trials": [
            {"setting": report.setting(trial)} | asdict(seen) for trial, seen in report.ranked()
        ],
        "where": report.where,
        "symbol": report.symbol,
        "variants_tried": report.settings_tried,
    }


def _print_folds(console: Console, report: SearchReport, verdict: SearchVerdict) -> None:
    table = plain_table("not seen: from", "to", "chosen before", "trades", "R", "R when chosen")
    for column in table.columns[:3]:
        column.justify = "left"
    for fold in verdict.folds:
        table.add_row(
            f"{utc(fold.from_ms):%Y-%m-%d}",
            f"{utc(fold.to_ms):%Y-%m-%d}",
            _named(report, report.trials[fold.chosen]),
            str(fold.out_of_sample.trades),
            _r(fold.out_of_sample),
            _r(fold.in_sample),
        )
    console.print(table)


def _sentences(report: SearchReport, found: SearchVerdict) -> Iterator[str]:
    unseen, base = found.out_of_sample, found.baseline
    yield (
        f"Out of sample: chosen each time on the past alone, the settings made {_r(unseen)} R a "
        f"trade over {unseen.trades:,} trades ({unseen.t:+z.1f} standard errors from zero). The "
        f"settings one began with made {_r(base)} R over {base.trades:,} in the same time."
    )
    if found.overfitting is None:
        yield "Too few trades or settings to say how often the best of one half fails in the other."
    else:
        yield (
            f"Overfitting: of all ways to halve the time, in {100 * found.overfitting:.0f} of 100 "
            "the best setting of one half was below the middle in the other. 50 is pure chance."
        )
    if found.reality_check is None:
        yield "Too few weeks to say how likely the best is luck."
    else:
        yield (
            f"Luck: were no setting worth anything, the best of these {len(report.trials)} would "
            f"look as good as it does in {100 * found.reality_check:.0f} of 100 cases."
        )
    yield (
        f"In sample the best is {_named(report, report.trials[found.best])}, with "
        f"{_r(found.in_sample)} R over {found.in_sample.trades:,} trades."
    )
    if report.settings_tried is not None:
        yield (
            f"{report.settings_tried:,} settings have been tried on this file by this user of this "
            "machine."
        )


def _named(report: SearchReport, trial: Trial) -> str:
    return " ".join(
        f"{name}={'none' if value is None else format(value, 'g')}"
        for name, value in report.setting(trial).items()
    )


def _r(found: Figures) -> str:
    return "-" if found.r is None else f"{found.r:+z.3f}"
