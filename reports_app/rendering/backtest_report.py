"""A backtest's report in the terminal and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from reports_app.assessment.assessment import Assessment
from reports_app.backtest.result import BacktestResult, result_as_json
from reports_app.performance.breakdown import COLUMNS, LEGEND, break_down, cells
from reports_app.performance.statistics import (
    TradeResult,
    performance,
    performance_as_json,
)
from reports_app.rendering import backtest_words
from reports_app.rendering.console import plain_table, print_lines
from signals_app.market.calendar import iso


@dataclass(frozen=True, slots=True, eq=False)
class BacktestReport:
    """All that a report shows, in whatever form.

    `assumed` says how the file was read, `settings` where the parameters come from.
    """

    result: BacktestResult
    assessment: Assessment
    assumed: str
    settings: str


def report_as_json(report: BacktestReport) -> dict[str, Any]:
    """Signals, trades and counts, and the figures whole, by direction, session and year."""
    results = report.assessment.results
    return result_as_json(report.result) | {
        "signals_per_week": report.result.signals_per_week,
        "performance": performance_as_json(performance(results)),
        "by": {
            group: {name: performance_as_json(figures) for name, figures in found.items()}
            for group, found in break_down(results).items()
        },
        **_assessment_as_json(report.assessment),
    }


def _assessment_as_json(assessed: Assessment) -> dict[str, Any]:
    """The assessment: money in account currency, drawdowns in percent, times ISO 8601."""
    equity, drawn, chance = assessed.equity, assessed.monte_carlo, assessed.random_entries
    return {
        "starting_balance": equity.before,
        "equity": [
            {"time": iso(time_ms), "balance": round(balance, 2)}
            for time_ms, balance in zip(
                equity.time_ms.tolist(), equity.balance.tolist(), strict=True
            )
        ],
        "ruined": None if equity.ruined_ms is None else iso(equity.ruined_ms),
        "maximum_drawdown_percentage": round(equity.maximum_drawdown, 2),
        "standard_error_r": assessed.standard_error,
        "monte_carlo": None if drawn is None else asdict(drawn),
        "random_entries": (
            None
            if chance is None
            else {key: value for key, value in asdict(chance).items() if key != "repeated_r"}
        ),
        "variants_tried": assessed.settings_tried,
        "luck_of_variants_r": assessed.luckiest_r,
        "verdict": list(backtest_words.verdict(assessed)),
    }


def print_report(console: Console, report: BacktestReport) -> None:
    """Print what the backtest made, losses as plainly as gains."""
    result = report.result
    symbol = result.instrument.symbol
    if result.first_time_ms is None or result.last_time_ms is None:
        console.print(f"{symbol}: the file holds nothing in that span.")
        return
    print_lines(
        console,
        f"{symbol}, {iso(result.first_time_ms)} to {iso(result.last_time_ms)}",
        f"read as: {report.assumed}",
        *_left_out(result),
        f"settings: {report.settings}",
        f"{backtest_words.data(result)}: {backtest_words.decisions(result)}, "
        f"{len(result.signals):,} signals, {result.signals_per_week} a week",
    )
    _print_figures(console, report.assessment.results)
    print_lines(console, f"{LEGEND}\n")
    _print_refusals(console, result)
    console.print()
    verdict = backtest_words.verdict(report.assessment)
    for sentence in (*verdict, *backtest_words.assumptions(result)):
        console.print(f"- {sentence}")


def _left_out(result: BacktestResult) -> list[str]:
    """What of the file was refused, as the gateway refuses it."""
    if not result.ticks_refused:
        return []
    return [f"left out: {result.ticks_refused:,} ticks whose price jumps by over 20 %"]


def _print_figures(console: Console, results: Sequence[TradeResult]) -> None:
    table = plain_table("", *COLUMNS)
    for column in table.columns:
        column.no_wrap = True
    table.add_row("all", *cells(performance(results)))
    for group in break_down(results).values():
        table.add_section()
        for name, figures in group.items():
            table.add_row(name, *cells(figures))
    console.print(table)


def _print_refusals(console: Console, result: BacktestResult) -> None:
    table = plain_table("no signal because", "closes")
    for reason, count in sorted(result.refusals.items(), key=lambda item: -item[1]):
        table.add_row(reason.value, f"{count:,}")
    console.print(table)
