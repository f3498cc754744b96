"""A backtest's report as one page of HTML with charts that needs nothing from elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.template.loader import render_to_string

from reports_app.assessment.assessment import Assessment
from reports_app.assessment.monte_carlo import MonteCarlo
from reports_app.backtest.result import BacktestResult
from reports_app.performance.breakdown import COLUMNS, LEGEND, break_down, cells, or_dash
from reports_app.performance.statistics import Performance, TradeResult, performance
from reports_app.rendering import backtest_words
from reports_app.rendering.backtest_report import BacktestReport
from signals_app.confluence.parameters import Parameters
from signals_app.market.calendar import utc
from trades_app.notifications.charts.palette import DARK, LIGHT

_TEMPLATE = "reports_app/backtest.html"
_LISTED = 100
_RUINED = "ruined"


@dataclass(frozen=True, slots=True)
class Card:
    """A figure in large type, with what it is above and how to read it below."""

    name: str
    figure: str
    text: str

    @property
    def colour(self) -> str:
        """The CSS class of a gain, a loss or neither."""
        if self.figure == _RUINED:
            return "bad"
        return {"+": "good", "-": "bad"}.get(self.figure[0], "") if len(self.figure) > 1 else ""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A line of a table: its name and its cells."""

    name: str
    cells: Sequence[str]


def page(report: BacktestReport) -> str:
    """Render the page: verdict first, then charts, tables, refusals, settings and trades."""
    result, assessed = report.result, report.assessment
    verdict, *sentences = backtest_words.verdict(assessed)
    return render_to_string(
        _TEMPLATE,
        {
            "title": f"{result.instrument.symbol} backtest",
            "light": LIGHT.by_role(),
            "dark": DARK.by_role(),
            "span": _span(result),
            "assumed": report.assumed,
            "settings": report.settings,
            "cards": _cards(report),
            "verdict": verdict,
            "sentences": [*sentences, *backtest_words.assumptions(result)],
            **_charts(assessed),
            "columns": COLUMNS,
            "groups": _groups(assessed.results),
            "legend": LEGEND,
            "refusals": _refusals(result),
            "parameters": _parameters(result.parameters),
            "trades": [_trade(trade) for trade in assessed.results[-_LISTED:]],
        },
    )


def _span(result: BacktestResult) -> str:
    if result.first_time_ms is None or result.last_time_ms is None:
        return "The file holds nothing in that span."
    first, last = utc(result.first_time_ms), utc(result.last_time_ms)
    return (
        f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC. {backtest_words.data(result)}; "
        f"{backtest_words.decisions(result)}."
    )


def _cards(report: BacktestReport) -> list[Card]:
    assessed = report.assessment
    figures, equity = performance(assessed.results), assessed.equity
    multiples, error = assessed.r_multiples, assessed.standard_error
    return [
        Card(
            "Signals",
            f"{figures.total_signals:,}",
            f"{or_dash(report.result.signals_per_week)} a week",
        ),
        Card(
            "Result",
            f"{figures.total_profit_loss:+z,.0f}" if equity.ruined_ms is None else _RUINED,
            f"from {equity.before:,.0f} of account currency",
        ),
        Card(
            "A trade",
            f"{multiples.mean():+z.2f} R" if len(multiples) else "-",
            "mean profit in units of the risk" + (f", ± {error:.2f}" if error else ""),
        ),
        Card(
            "Won",
            "-" if figures.win_rate is None else f"{figures.win_rate:.1f} %",
            "of won and lost trades",
        ),
        Card("Profit factor", or_dash(figures.profit_factor), "money won by money lost"),
        Card(
            "Deepest fall",
            f"{equity.maximum_drawdown:.1f} %",
            "of the highest balance before it",
        ),
    ]


def _charts(assessed: Assessment) -> dict[str, Any]:
    if not len(assessed.equity.balance):
        return {}
    # Here: charts take seconds, and most reports are read in the terminal.
    from reports_app.rendering.backtest_charts import half_charts, wide_charts

    drawn = assessed.monte_carlo
    return {
        "wide_charts": wide_charts(assessed),
        "half_charts": half_charts(assessed),
        "draws": None if drawn is None else f"{drawn.draws:,}",
        "intervals": [] if drawn is None else _intervals(drawn),
    }


def _intervals(drawn: MonteCarlo) -> list[TableRow]:
    return [
        TableRow(name, [f"{bound:{form}}" for bound in (span.low, span.middle, span.high)])
        for name, span, form in (
            ("money", drawn.profit, ",.0f"),
            ("R a trade", drawn.r, "+.2f"),
            ("deepest fall, %", drawn.drawdown, ".1f"),
        )
    ]


def _groups(results: Sequence[TradeResult]) -> list[list[TableRow]]:
    """The lines of all trades, then of each way to divide them."""
    groups: list[Mapping[str, Performance]] = [{"all": performance(results)}]
    groups += break_down(results).values()
    return [[TableRow(name, cells(figures)) for name, figures in group.items()] for group in groups]


def _refusals(result: BacktestResult) -> list[TableRow]:
    most_first = sorted(result.refusals.items(), key=lambda item: -item[1])
    return [TableRow(reason.value, [f"{count:,}"]) for reason, count in most_first]


def _parameters(parameters: Parameters) -> list[TableRow]:
    return [
        TableRow(name, ["never" if value is None else f"{value:,g}"])
        for name, value in asdict(parameters).items()
    ]


def _trade(trade: TradeResult) -> TableRow:
    closed = "open" if trade.closed_ms is None else f"{utc(trade.closed_ms):%Y-%m-%d %H:%M}"
    return TableRow(
        trade.signal_id,
        [
            trade.direction,
            trade.session,
            trade.setup_type,
            f"{utc(trade.opened_ms):%Y-%m-%d %H:%M}",
            closed,
            or_dash(trade.r_multiple),
            f"{trade.profit_loss_pips:z,.1f}",
            f"{trade.profit_loss:z,.2f}",
        ],
    )
