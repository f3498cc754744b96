"""Whether higher scores did better, in the terminal and as JSON: the answer before its table."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from reports_app.assessment.live_scores import LiveBand, LiveScores
from reports_app.assessment.reliability import Reliability
from reports_app.assessment.reliability_study import Study
from reports_app.rendering.console import plain_table, print_lines

_SIMULATED = "SIMULATED FEED: the database's prices are made up, and so is what follows from them."
_LEGEND = (
    "won: +1 R before -1 R within 48 candles of M15, spread paid; mean R: of the trades as the "
    "product manages them."
)


def reliability_as_json(study: Study, found: Reliability) -> dict[str, Any]:
    """The data, the bands, the verdicts and the live record's bands as plain values."""
    return {
        "symbol": study.instrument.symbol,
        "settings": study.settings,
        "threshold": study.parameters.threshold,
        "data": [*(run.description for run in study.runs), *study.left_out],
        **asdict(found),
        "live": None if study.live is None else _live_as_json(study.live),
        "is_simulated": study.is_simulated,
    }


def print_reliability(console: Console, study: Study, found: Reliability) -> None:
    """Print the verdicts, the table of bands, and beside it what the live signals made."""
    if study.is_simulated and not study.is_of_files:
        print_lines(console, _SIMULATED)
    print_lines(
        console,
        f"{study.instrument.symbol}, scored by {study.settings}",
        *(run.description for run in study.runs),
    )
    print_lines(console, *(f"Left out: {each}" for each in study.left_out))
    if study.runs:
        print_lines(console, "", *found.verdicts, "")
        console.print(_table(found))
        sentences = (f"- {band.text}" for band in found.bands)
        print_lines(
            console,
            *("", *sentences, "", *found.notes, _LEGEND),
            f"{found.signals:,} signals; wherever they are counted, those that overlap one before "
            "of the same direction are left out.",
        )
    if study.live is not None and study.live.bands:
        print_lines(console, "")
        if study.is_simulated and study.is_of_files:
            print_lines(console, _SIMULATED)
        print_lines(console, "What the live signals really did:")
        console.print(_live_table(study.live))
        print_lines(console, study.live.verdict)


def _live_as_json(live: LiveScores) -> dict[str, Any]:
    return {"bands": [_live_band_as_json(band) for band in live.bands], "verdict": live.verdict}


def _live_band_as_json(band: LiveBand) -> dict[str, Any]:
    # The name that programs know the published signals by.
    return {{"published": "told"}.get(name, name): value for name, value in asdict(band).items()}


def _table(found: Reliability) -> Table:
    table = _score_table("n", "won", "won %", "95 %", "random %", "mean R")
    for band in found.bands:
        table.add_row(
            f"{band.from_score:g}-{band.to_score:g}",
            f"{band.n:,}",
            f"{band.wins:,}",
            _percent(band.share),
            _interval(band.low, band.high),
            _percent(band.random_share),
            _mean_r(band.mean_r),
        )
    return table


def _live_table(live: LiveScores) -> Table:
    table = _score_table("signals", "trades over", "made money", "95 %", "mean R")
    for band in live.bands:
        table.add_row(
            f"{band.from_score:g}-{band.to_score:g}",
            f"{band.published:,}",
            f"{band.closed:,}",
            f"{band.wins:,}",
            _interval(band.low, band.high),
            _mean_r(band.mean_r),
        )
    return table


def _score_table(*names: str) -> Table:
    table = plain_table("score", *names)
    for column in table.columns:
        column.no_wrap = True
    return table


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{100 * low:.0f}-{100 * high:.0f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _mean_r(mean: float | None) -> str:
    return "-" if mean is None else f"{mean:+z.2f}"
