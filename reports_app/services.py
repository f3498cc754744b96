"""What the closed trades earned, by day, week or month."""

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Avg, Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDay, TruncMonth, TruncWeek

from signals_app.models import Signal
from trades_app.models import Trade

_HUNDREDTH = Decimal("0.01")


class Period(StrEnum):
    """How long one line of a report is. Days are UTC days, weeks begin on Monday."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


_BEGINNINGS: dict[Period, Any] = {
    Period.DAILY: TruncDay,
    Period.WEEKLY: TruncWeek,
    Period.MONTHLY: TruncMonth,
}


@dataclass(frozen=True, slots=True)
class Performance:
    """One instrument's period. Trades count where they closed, signals where they were made.

    `until` is the period's last day. `win_rate` (percent of winning and losing trades) and
    `average_rr` (mean profit in units of the risk taken) are `None` where no trade decides them.
    """

    instrument: str
    date: dt.date
    until: dt.date
    total_signals: int = 0
    closed_trades: int = 0
    winning_trades: int = 0
    losing_trades: int = 0
    win_rate: Decimal | None = None
    average_rr: Decimal | None = None
    total_pips: Decimal = Decimal("0.00")
    total_profit_loss: Decimal = Decimal("0.00")


def performance(
    period: Period,
    *,
    instrument: str | None = None,
    since: dt.datetime | None = None,
    before: dt.datetime | None = None,
) -> list[Performance]:
    """Return the periods in which something happened, the newest first, then by instrument.

    ``since`` and ``before`` bound the trades and signals that count. Two queries.
    """
    signals = _by_period(
        _bounded(Signal.objects.all(), "timestamp", instrument, since, before), period, "timestamp"
    ).annotate(total=Count("pk"))
    made = {(row["beginning"].date(), row["instrument"]): row["total"] for row in signals}
    trades = _bounded(Trade.objects.exclude(exit_time=None), "exit_time", instrument, since, before)
    closed = _by_period(trades, period, "exit_time").annotate(
        closed_trades=Count("pk"),
        winning_trades=Count("pk", filter=Q(profit_loss__gt=0)),
        losing_trades=Count("pk", filter=Q(profit_loss__lt=0)),
        average_rr=Avg(F("profit_loss") / F("initial_risk"), filter=Q(initial_risk__gt=0)),
        total_pips=Sum("profit_loss_pips"),
        total_profit_loss=Sum("profit_loss"),
    )
    results = {(row["beginning"].date(), row["instrument"]): row for row in closed}
    return [
        _performance(period, beginning, symbol, made, results)
        for beginning, symbol in sorted(
            made.keys() | results.keys(), key=lambda key: (-key[0].toordinal(), key[1])
        )
    ]


def _bounded(
    rows: "QuerySet[Any]",
    column: str,
    instrument: str | None,
    since: dt.datetime | None,
    before: dt.datetime | None,
) -> "QuerySet[Any]":
    if instrument is not None:
        rows = rows.filter(instrument=instrument)
    if since is not None:
        rows = rows.filter(**{f"{column}__gte": since})
    if before is not None:
        rows = rows.filter(**{f"{column}__lt": before})
    return rows


def _by_period(rows: "QuerySet[Any]", period: Period, column: str) -> "QuerySet[Any, Any]":
    beginning = _BEGINNINGS[period](column)
    grouped: QuerySet[Any, Any] = (
        rows.order_by().annotate(beginning=beginning).values("beginning", "instrument")
    )
    return grouped


def _performance(
    period: Period,
    beginning: dt.date,
    symbol: str,
    made: dict[tuple[dt.date, str], int],
    results: dict[tuple[dt.date, str], dict[str, Any]],
) -> Performance:
    key = beginning, symbol
    until = _last_day(period, beginning)
    row = results.get(key)
    if row is None:
        return Performance(symbol, beginning, until, total_signals=made[key])
    decided = row["winning_trades"] + row["losing_trades"]
    return Performance(
        instrument=symbol,
        date=beginning,
        until=until,
        total_signals=made.get(key, 0),
        closed_trades=row["closed_trades"],
        winning_trades=row["winning_trades"],
        losing_trades=row["losing_trades"],
        win_rate=_hundredths(Decimal(100 * row["winning_trades"]) / decided) if decided else None,
        average_rr=_hundredths(row["average_rr"]),
        total_pips=row["total_pips"],
        total_profit_loss=row["total_profit_loss"],
    )


def _last_day(period: Period, beginning: dt.date) -> dt.date:
    match period:
        case Period.DAILY:
            return beginning
        case Period.WEEKLY:
            return beginning + dt.timedelta(days=6)
        case Period.MONTHLY:
            following = (beginning + dt.timedelta(days=31)).replace(day=1)
            return following - dt.timedelta(days=1)


def _hundredths(number: Decimal | None) -> Decimal | None:
    return None if number is None else number.quantize(_HUNDREDTH, ROUND_HALF_UP)
