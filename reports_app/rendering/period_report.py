"""The message at the end of a day, a week and a month, made from the trades of the period."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from reports_app.performance import statistics
from reports_app.performance.statistics import Performance, Period, TradeResult
from trades_app.notifications.content.wording import SIMULATED_FEED, signed_money, written

#: Telegram refuses messages above 4096 characters; what follows the list of trades needs some.
_LONGEST_LIST = 3000
_TITLES = {
    Period.DAY: "DAILY",
    Period.WEEK: "WEEKLY",
    Period.MONTH: "MONTHLY",
    Period.YEAR: "YEARLY",
}


@dataclass(frozen=True, slots=True)
class PeriodReport:
    """One instrument's period that begins on `first_day`, with the trades that it is about.

    `results` may hold more than the period's. `digest` is that of the period's last day in the
    record.
    """

    instrument: str
    period: Period
    first_day: date
    results: tuple[TradeResult, ...]
    digest: str
    is_simulated: bool = False


def text(data: Mapping[str, Any]) -> str:
    """The text of an outbox row's data."""
    return report_text(msgspec.convert(data, PeriodReport))


def report_text(report: PeriodReport) -> str:
    """What followers read of the period; losses stand before wins."""
    period, first_day = report.period, report.first_day
    figures = statistics.by_period(report.results, period).get(first_day, Performance())
    closed = [
        result
        for result in statistics.in_order_of_closing(report.results)
        if result.closed_on is not None and period.beginning(result.closed_on) == first_day
    ]
    lines = [
        *([SIMULATED_FEED, ""] if report.is_simulated else []),
        f"📅 {report.instrument} {_TITLES[period]} REPORT · {_days(period, first_day)}",
        "",
        *_summary(figures, closed),
        *_listed(closed),
        *_groups("Sessions", closed, lambda result: result.session),
        *_groups("Setups", closed, lambda result: result.setup_type),
        *_groups("Directions", closed, lambda result: result.direction),
        "",
        f"🔗 Record: {report.digest}",
    ]
    return "\n".join(lines)


def _days(period: Period, first_day: date) -> str:
    match period:
        case Period.DAY:
            return f"{first_day:%A, %Y-%m-%d}"
        case Period.WEEK:
            return f"{first_day} to {period.last_day(first_day)}"
        case Period.MONTH:
            return f"{first_day:%B %Y}"
        case Period.YEAR:
            return f"{first_day:%Y}"


def _summary(figures: Performance, closed: Sequence[TradeResult]) -> list[str]:
    if not closed:
        return [f"Signals: {figures.total_signals} · no trade was closed"]
    won = sum((r.profit_loss for r in closed if r.profit_loss > 0), Decimal(0))
    lost = sum((r.profit_loss for r in closed if r.profit_loss < 0), Decimal(0))
    rate = "" if figures.win_rate is None else f" · win rate {figures.win_rate:.0f}%"
    pips = written(f"{figures.total_pips:+z,.1f}")
    lines = [
        f"Signals: {figures.total_signals} · trades closed: {figures.closed_trades}",
        f"🛑 Lost: {figures.losing_trades} ({signed_money(lost)})",
        f"🏁 Won: {figures.winning_trades} ({signed_money(won)}){rate}",
        f"Result: {signed_money(figures.total_profit_loss)} ({pips} pips)",
    ]
    if figures.profit_factor is not None:
        lines.append(f"Profit factor: {written(str(figures.profit_factor))}")
    if figures.average_rr is not None:
        lines.append(f"Expectancy: {written(f'{figures.average_rr:+}')} R a trade")
    if figures.planned_risk_reward is not None:
        lines.append(f"Average planned R:R: 1:{written(str(figures.planned_risk_reward))}")
    lines.append(f"Deepest fall on the way: {signed_money(-figures.maximum_drawdown)}")
    return lines


def _listed(closed: Sequence[TradeResult]) -> list[str]:
    """The trades, losses first; as many as a message holds."""
    in_order = [result for result in closed if result.profit_loss < 0]
    in_order += [result for result in closed if result.profit_loss >= 0]
    lines: list[str] = []
    for place, result in enumerate(in_order):
        if sum(map(len, lines)) > _LONGEST_LIST:
            lines.append(f"… and {len(in_order) - place} more")
            break
        multiple = "" if result.r_multiple is None else written(f" = {result.r_multiple:+} R")
        pips = written(f"{result.profit_loss_pips:+z,.1f}")
        lines.append(
            f"{'🛑' if result.profit_loss < 0 else '🏁'} {result.signal_id} {result.direction}: "
            f"{signed_money(result.profit_loss)} ({pips} pips){multiple}"
        )
    return ["", *lines] if lines else []


def _groups(
    title: str, closed: Sequence[TradeResult], key: Callable[[TradeResult], str]
) -> list[str]:
    """A line for each group where there is more than one."""
    groups = statistics.by_group(closed, key)
    if len(groups) < 2:
        return []
    lines = (
        f"{name}: {figures.winning_trades} won, {figures.losing_trades} lost, "
        f"{signed_money(figures.total_profit_loss)}"
        for name, figures in groups.items()
    )
    return ["", f"{title}:", *lines]
