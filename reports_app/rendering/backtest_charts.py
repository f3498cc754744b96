"""The charts of a backtest's page, each drawn for the width of a desk and for a telephone's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reports_app.assessment.assessment import Assessment
from reports_app.assessment.random_entries import RandomEntries
from reports_app.performance.equity import Equity
from reports_app.performance.statistics import Period, TradeResult, by_period
from trades_app.notifications.charts.figure import new_chart
from trades_app.notifications.charts.output import as_inline_svg
from trades_app.notifications.charts.palette import LIGHT
from trades_app.notifications.charts.plots import Mark, plot_bars, plot_histogram, plot_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: With so few years, months say more.
_FEW_YEARS = 2


@dataclass(frozen=True, slots=True)
class ScreenSize:
    """What a chart is drawn for: its widths in pixels, and how much text fits below it."""

    name: str
    wide: int
    half: int
    height_share: float
    dates: int
    names: int


SCREENS = (
    ScreenSize("desk", wide=1080, half=500, height_share=1.0, dates=9, names=12),
    ScreenSize("telephone", wide=340, half=340, height_share=0.75, dates=4, names=6),
)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its heading: one inline SVG for each screen, by the screen's name."""

    title: str
    text: str
    svgs: dict[str, str]


_Draw = Callable[["Axes", ScreenSize], dict[str, str] | None]


def wide_charts(assessed: Assessment) -> list[Chart]:
    """Draw the balance and its drawdown over time; at least one trade was closed."""
    return [_balance(assessed.equity), _drawdown(assessed.equity)]


def half_charts(assessed: Assessment) -> list[Chart]:
    """Draw profits by period, results in R, and the random entries where they were compared."""
    charts = [_profits(assessed.results), _results(assessed)]
    if assessed.random_entries is not None:
        charts.append(_random_entries(assessed.random_entries))
    return charts


def _balance(equity: Equity) -> Chart:
    def draw(axes: "Axes", screen: ScreenSize) -> None:
        plot_line(
            axes,
            equity.time_ms,
            equity.balance,
            base=equity.before,
            colour=LIGHT.gold,
            most_dates=screen.dates,
        )

    svgs = _drawn("balance", "Balance over time", draw, height=300, is_wide=True)
    return Chart("Balance", "as each trade closed", svgs)


def _drawdown(equity: Equity) -> Chart:
    def draw(axes: "Axes", screen: ScreenSize) -> None:
        plot_line(
            axes,
            equity.time_ms,
            -equity.drawdowns,
            base=0.0,
            colour=LIGHT.lost,
            most_dates=screen.dates,
        )

    svgs = _drawn("drawdown", "Drawdown over time", draw, height=150, is_wide=True)
    return Chart("Fall below the highest balance", "percent", svgs)


def _profits(results: Sequence[TradeResult]) -> Chart:
    years = by_period(results, Period.YEAR)
    by_year = len(years) > _FEW_YEARS
    shown = years if by_year else by_period(results, Period.MONTH)
    form = "%Y" if by_year else "%b" if len(years) == 1 else "%b %y"
    profits = [(f"{day:{form}}", float(each.total_profit_loss)) for day, each in shown.items()]

    def draw(axes: "Axes", screen: ScreenSize) -> dict[str, str]:
        return plot_bars(axes, profits, most_names=screen.names)

    svgs = _drawn("profit", "Profit over time", draw)
    return Chart("By year" if by_year else "By month", "money", svgs)


def _results(assessed: Assessment) -> Chart:
    def draw(axes: "Axes", _: ScreenSize) -> dict[str, str]:
        colours = LIGHT.lost, LIGHT.won
        return plot_histogram(axes, assessed.r_multiples, split=0.0, colours=colours)

    svgs = _drawn("results", "Results of the trades in R", draw)
    return Chart("Results of the trades", "how many ended where, in R", svgs)


def _random_entries(chance: RandomEntries) -> Chart:
    def draw(axes: "Axes", _: ScreenSize) -> dict[str, str]:
        return plot_histogram(
            axes,
            np.array(chance.repeated_r),
            split=chance.r,
            colours=(LIGHT.random, LIGHT.gold),
            mark=Mark(chance.r, f"signals {chance.r:+z.2f} R"),
        )

    svgs = _drawn("random", "Mean R of random entries", draw)
    return Chart(
        "Against random entries",
        "mean R of each random set; coloured are those at least as good",
        svgs,
    )


def _drawn(
    name: str, label: str, draw: _Draw, *, height: int = 220, is_wide: bool = False
) -> dict[str, str]:
    """Draw for each screen: what is wide enough for a desk cannot be read on a telephone."""
    svgs = {}
    for screen in SCREENS:
        width = screen.wide if is_wide else screen.half
        with new_chart(width, round(height * screen.height_share)) as (figure, axes):
            tooltips = draw(axes, screen)
            svgs[screen.name] = as_inline_svg(
                figure, name=f"{name}-{screen.name}", label=label, tooltips=tooltips
            )
    return svgs
