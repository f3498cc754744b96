"""Win rate, expectancy, profit factor and drawdown of trades; whole, by group and by period."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from signals_app.confluence.signal import TradingSignal
from signals_app.market.calendar import utc
from signals_app.market.rounding import rounded
from trades_app.lifecycle.trade import Trade

#: No money, no pips.
NOTHING = Decimal("0.00")
_HUNDREDTH = Decimal("0.01")
_Key = TypeVar("_Key", bound=str | date | int)


class Period(StrEnum):
    """The length of a report. Days are UTC days, weeks ISO weeks, by the time of closing."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"

    def beginning(self, day: date) -> date:
        """The first day of the period that ``day`` is in."""
        match self:
            case Period.DAY:
                return day
            case Period.WEEK:
                return day - timedelta(days=day.weekday())
            case Period.MONTH:
                return day.replace(day=1)
            case Period.YEAR:
                return day.replace(month=1, day=1)

    def last_day(self, first_day: date) -> date:
        """The last day of the period that begins on ``first_day``."""
        match self:
            case Period.DAY:
                return first_day
            case Period.WEEK:
                return first_day + timedelta(days=6)
            case Period.MONTH:
                return (first_day + timedelta(days=31)).replace(day=1) - timedelta(days=1)
            case Period.YEAR:
                return first_day.replace(month=12, day=31)


@dataclass(frozen=True, slots=True)
class TradeResult:
    """What statistics need of one trade. The `closed_...` is `None` while it is open.

    `r_multiple` is the profit in units of the initial risk, `None` where that was nothing;
    `profit_loss` is account currency net of costs.
    """

    signal_id: str
    instrument: str
    direction: str
    session: str
    setup_type: str
    signalled_ms: int
    opened_ms: int
    closed_ms: int | None
    profit_loss: Decimal
    profit_loss_pips: Decimal
    r_multiple: Decimal | None
    risk_reward_ratio: float

    @property
    def closed_on(self) -> date | None:
        """The UTC day on which it closed, `None` while it is open."""
        return None if self.closed_ms is None else utc(self.closed_ms).date()


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures of the closed trades, all of them zero or `None` where there are none.

    A win earned money, a loss lost some; what closed at exactly nothing is neither. `win_rate` is
    the percentage of wins among wins and losses. `average_rr` is the mean R multiple, the
    expectancy in R; `planned_risk_reward` the mean of what the signals promised to the second
    target. `profit_factor` is money won by money lost, `None` where none was lost.
    `maximum_drawdown` (money) is the deepest fall of the sum of profits, in order of closing,
    below its highest point.
    """

    total_signals: int = 0
    closed_trades: int = 0
    winning_trades: int = 0
    losing_trades: int = 0
    win_rate: Decimal | None = None
    average_rr: Decimal | None = None
    planned_risk_reward: Decimal | None = None
    profit_factor: Decimal | None = None
    total_pips: Decimal = Decimal("0.00")
    total_profit_loss: Decimal = Decimal("0.00")
    maximum_drawdown: Decimal = Decimal("0.00")


def result_of(signal: TradingSignal, trade: Trade) -> TradeResult:
    return TradeResult(
        signal_id=signal.signal_id,
        instrument=signal.instrument,
        direction=signal.direction.value,
        session=signal.session,
        setup_type=signal.setup_type,
        signalled_ms=signal.timestamp_ms,
        opened_ms=trade.entry_time_ms,
        closed_ms=trade.exit_time_ms,
        profit_loss=trade.profit_loss,
        profit_loss_pips=trade.profit_loss_pips,
        r_multiple=trade.r_multiple,
        risk_reward_ratio=signal.risk_reward_ratio,
    )


def performance(results: Iterable[TradeResult]) -> Performance:
    """Measure these trades; each also counts as a signal, open ones only so."""
    everything = list(results)
    closed = in_order_of_closing(everything)
    wins = [result.profit_loss for result in closed if result.profit_loss > 0]
    losses = [result.profit_loss for result in closed if result.profit_loss < 0]
    decided = len(wins) + len(losses)
    multiples = [result.r_multiple for result in closed if result.r_multiple is not None]
    return Performance(
        total_signals=len(everything),
        closed_trades=len(closed),
        winning_trades=len(wins),
        losing_trades=len(losses),
        win_rate=_rounded(Decimal(100 * len(wins)) / decided) if decided else None,
        average_rr=_mean(multiples),
        planned_risk_reward=_mean([Decimal(str(r.risk_reward_ratio)) for r in closed]),
        profit_factor=_ratio(sum(wins, Decimal(0)), -sum(losses, Decimal(0))),
        total_pips=sum((r.profit_loss_pips for r in closed), Decimal("0.00")),
        total_profit_loss=sum((r.profit_loss for r in closed), Decimal("0.00")),
        maximum_drawdown=maximum_drawdown([result.profit_loss for result in closed]),
    )


def by_group(
    results: Iterable[TradeResult], key: Callable[[TradeResult], _Key]
) -> dict[_Key, Performance]:
    """The figures of each group, in order of the groups' names."""
    groups: dict[_Key, list[TradeResult]] = {}
    for result in results:
        groups.setdefault(key(result), []).append(result)
    return {name: performance(groups[name]) for name in sorted(groups)}


def by_period(results: Iterable[TradeResult], period: Period) -> dict[date, Performance]:
    """The figures of each period by its first day, oldest first.

    Trades count where they closed and signals where they were made, so that a signal and its
    result may stand in two periods.
    """
    everything = list(results)
    signals: dict[date, int] = {}
    closed: dict[date, list[TradeResult]] = {}
    for result in everything:
        made = period.beginning(utc(result.signalled_ms).date())
        signals[made] = signals.get(made, 0) + 1
        if result.closed_on is not None:
            closed.setdefault(period.beginning(result.closed_on), []).append(result)
    return {
        first_day: replace(
            performance(closed.get(first_day, ())), total_signals=signals.get(first_day, 0)
        )
        for first_day in sorted(signals.keys() | closed.keys())
    }


def in_order_of_closing(results: Iterable[TradeResult]) -> list[TradeResult]:
    """Sort the closed trades by the time of closing, those of equal times by id."""
    closed = [result for result in results if result.closed_ms is not None]
    return sorted(closed, key=lambda result: (result.closed_ms, result.signal_id))


def maximum_drawdown(profits: Sequence[Decimal]) -> Decimal:
    """The deepest fall of the running sum below its highest point, as a positive number."""
    total = highest = deepest = Decimal("0.00")
    for profit in profits:
        total += profit
        highest = max(highest, total)
        deepest = max(deepest, highest - total)
    return deepest


def performance_as_json(figures: Performance) -> dict[str, Any]:
    """The figures as plain numbers, those that do not exist as `None`."""
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name in Performance.__slots__
        for value in (getattr(figures, name),)
    }


def _mean(numbers: Sequence[Decimal]) -> Decimal | None:
    return _rounded(sum(numbers, Decimal(0)) / len(numbers)) if numbers else None


def _rounded(number: Decimal) -> Decimal:
    return rounded(number, _HUNDREDTH)


def _ratio(won: Decimal, lost: Decimal) -> Decimal | None:
    return _rounded(won / lost) if lost else None
