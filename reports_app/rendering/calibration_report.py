"""A calibration as tables for people, and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from signals_app.market.calendar import iso
from signals_app.probability.calibration import Calibration
from signals_app.probability.estimate import Probability
from signals_app.probability.fitting import WalkForward
from signals_app.services.calibration import StoreOutcome, StoreResult

#: Columns of the widest table.
WIDTH = 118

_LEGEND = (
    "won: +1 R before -1 R within 48 candles, spread paid; p: (won + 20 random)/(n + 20), with "
    "Wilson's 95 % interval of won/n, none below n = 200; random: entries of the same direction, "
    "hour and distances; placebo: the same shape where the detector found nothing. Outcomes "
    "overlap, so that true intervals are wider.\n"
)
_IN_USE = ": signals made from now on say what was measured here."
_NOT_IN_USE = ", but signals go on saying what newer data say."


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """A calibration, whether it was stored, and the sentence part that says so or why not.

    The sentence begins with "Stored" or "Not stored" and the markets that it is true of.
    """

    calibration: Calibration
    is_stored: bool
    storing: str

    @classmethod
    def of(cls, calibration: Calibration, result: StoreResult) -> "CalibrationReport":
        """The report of a calibration that was offered to the database."""
        if result.is_stored:
            is_used = result.outcome is StoreOutcome.IN_USE
            return cls(calibration, is_stored=True, storing=_IN_USE if is_used else _NOT_IN_USE)
        reason = "a look back in time (--until) says nothing about now"
        if result.outcome is StoreOutcome.FEWER_OUTCOMES and result.before is not None:
            reason = (
                f"the calibration in use has {result.before.outcomes:,} outcomes, "
                f"this one {calibration.events:,}"
            )
        storing = f": {reason}; --store stores it all the same."
        return cls(calibration, is_stored=False, storing=storing)


def calibration_as_json(report: CalibrationReport) -> dict[str, Any]:
    """One market's object; shares are of 1, times ISO 8601."""
    one = report.calibration
    return {
        "symbol": one.symbol,
        "timeframe": one.timeframe.value,
        "data": list(one.runs),
        "data_from": iso(one.from_ms),
        "data_to": iso(one.to_ms),
        "candles": one.candles,
        "events": one.events,
        "stored": report.is_stored,
        "not_stored": None if report.is_stored else report.storing.removeprefix(": "),
        "probabilities": [_probability_as_json(each) for each in one.probabilities],
        "walk_forward": None if one.forward is None else asdict(one.forward),
    }


def print_calibrations(
    console: Console,
    reports: Sequence[CalibrationReport],
    left_out: Sequence[str],
    notes: Sequence[str] = (),
) -> None:
    """Print each market's table, how to read it, what was left out, notes, and what was stored."""
    for each in reports:
        _print(console, each.calibration)
    lines = (_LEGEND, *(f"Left out: {each}" for each in left_out), *notes, *_storing_lines(reports))
    for line in lines:
        console.print(line, soft_wrap=True)


def _probability_as_json(one: Probability) -> dict[str, Any]:
    bucket = one.bucket
    figures = {name: value for name, value in asdict(one).items() if name != "bucket"}
    return {
        "event": bucket.type.value,
        "kind": bucket.kind.value,
        "direction": bucket.direction.value,
        "tercile": bucket.tercile,
        **figures,
    }


def _print(console: Console, one: Calibration) -> None:
    console.print(
        f"[bold]{one.symbol} {one.timeframe}[/bold]: {one.events:,} outcomes in "
        f"{one.candles:,} candles\n" + "\n".join(f"  {line}" for line in one.runs),
        soft_wrap=True,
    )
    console.print(_table(one.probabilities))
    console.print(_forward_text(one.forward), soft_wrap=True)
    console.print()


def _table(probabilities: Sequence[Probability]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("event", "kind", "direction", "scores"):
        table.add_column(name, no_wrap=True)
    for name in ("n", "won", "p", "95 %", "random", "placebo", "p - random"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in probabilities:
        measured = one.measured
        table.add_row(
            one.bucket.type,
            one.bucket.kind,
            one.bucket.direction,
            one.scores.removeprefix("score "),
            f"{one.n:,}",
            f"{one.wins:,}",
            "not measured" if measured is None else f"{measured.p:.1%}",
            "" if measured is None else f"{100 * measured.low:.0f}-{100 * measured.high:.0f}",
            _percent(one.p0),
            _percent(one.placebo),
            "" if one.p is None or one.p0 is None else f"{100 * (one.p - one.p0):+z.1f}",
        )
    return table


def _forward_text(forward: WalkForward | None) -> str:
    if forward is None:
        return "Walk-forward: too little history to foretell a year by those before it."
    gained = 100 * (1 - forward.error / forward.error_random)
    verdict = (
        "better than random entries' rates, by very little"
        if 0 < gained < 1
        else "better than random entries' rates"
        if gained > 0
        else "no better than random entries' rates"
    )
    bands = "; ".join(
        f"{100 * band.foretold:.1f} % foretold, {100 * band.happened:.1f} % happened"
        for band in forward.bands
    )
    return (
        f"Walk-forward, each year by those before it, {forward.n:,} events: {verdict} "
        f"(squared error {forward.error:.4f} against {forward.error_random:.4f}). By thirds: "
        f"{bands}."
    )


def _storing_lines(reports: Sequence[CalibrationReport]) -> list[str]:
    """A sentence for each way in which calibrations were stored or not."""
    markets: dict[tuple[bool, str], list[str]] = {}
    for each in reports:
        name = f"{each.calibration.symbol} {each.calibration.timeframe}"
        markets.setdefault((each.is_stored, each.storing), []).append(name)
    return [
        f"{'Stored' if is_stored else 'Not stored'}, {', '.join(names)}{storing}"
        for (is_stored, storing), names in markets.items()
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
