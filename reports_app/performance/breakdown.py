"""A backtest's figures, whole and by group, as every form of its report has them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from reports_app.performance.statistics import (
    Performance,
    Period,
    TradeResult,
    by_group,
    by_period,
)

#: What is shown of each group, in the order of `cells`.
COLUMNS = (
    "signals",
    "closed",
    "won",
    "lost",
    "win %",
    "R",
    "factor",
    "pips",
    "money",
    "drawdown",
)
LEGEND = (
    "win %: of won and lost; R: mean profit in units of the risk; factor: money won by money "
    "lost; drawdown: deepest fall in money."
)


def break_down(results: Sequence[TradeResult]) -> dict[str, Mapping[str, Performance]]:
    """Group the figures by direction, session, setup and year: of each, name to figures."""
    years = by_period(results, Period.YEAR)
    return {
        "direction": by_group(results, lambda trade: trade.direction),
        "session": by_group(results, lambda trade: trade.session),
        "setup_type": by_group(results, lambda trade: trade.setup_type),
        "year": {str(day.year): figures for day, figures in years.items()},
    }


def cells(figures: Performance) -> list[str]:
    """One group's figures as text, a cell a column; `-` where there is no such figure."""
    return [
        f"{figures.total_signals:,}",
        f"{figures.closed_trades:,}",
        f"{figures.winning_trades:,}",
        f"{figures.losing_trades:,}",
        or_dash(figures.win_rate),
        or_dash(figures.average_rr),
        or_dash(figures.profit_factor),
        f"{figures.total_pips:z,.1f}",
        f"{figures.total_profit_loss:z,.2f}",
        f"{figures.maximum_drawdown:z,.2f}",
    ]


def or_dash(value: Decimal | float | None) -> str:
    """A figure as text, `-` where there is none."""
    return "-" if value is None else f"{value:,}"
