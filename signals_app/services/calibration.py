"""Measured probabilities in the database: stored by a calibration, looked up for a signal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Sum

from signals_app.confluence.evidence import POOL_KINDS, Evidence, evidence_of
from signals_app.confluence.probability import EventKind, EventType, Probability, look_up
from signals_app.confluence.scoring import Score
from signals_app.market import calendar
from signals_app.market.candle import Candles, Timeframe
from signals_app.models import Analysis, MeasuredProbability, PriceCandle, Signal
from signals_app.smc.liquidity import PoolKind
from signals_app.smc.measures import Bias

_ALL = 100_000_000
_END_OF_TIME_MS = 4_000_000_000_000


def stored_candles(symbol: str, timeframe: Timeframe) -> Candles:
    """Return every closed candle of the database, oldest first."""
    return PriceCandle.objects.window(symbol, timeframe, _END_OF_TIME_MS, _ALL)


def stored_series() -> list[tuple[str, Timeframe]]:
    """Return which symbols and timeframes there are candles of, of those that are decided on."""
    named = PriceCandle.objects.values_list("instrument", "timeframe").distinct()
    decided = (Timeframe.M15, Timeframe.H1, Timeframe.H4)
    return sorted(
        (symbol, Timeframe(timeframe)) for symbol, timeframe in named if timeframe in decided
    )


@dataclass(frozen=True, slots=True)
class InUse:
    """The calibration that new signals are told with: its outcomes, and the end of its data."""

    outcomes: int
    data_to: datetime


def calibration_in_use(symbol: str, timeframe: Timeframe) -> InUse | None:
    """Return the calibration on the newest data; `None` where there is none."""
    rows = MeasuredProbability.objects.newest(symbol, timeframe)
    found = rows.aggregate(outcomes=Sum("n"), data_to=Max("data_to"))
    return None if found["data_to"] is None else InUse(**found)


def store_probabilities(
    symbol: str,
    timeframe: Timeframe,
    probabilities: Sequence[Probability],
    *,
    data_from_ms: int,
    data_to_ms: int,
    made_at: datetime,
) -> None:
    """Store one calibration; earlier ones stay, since signals were told with them."""
    MeasuredProbability.objects.bulk_create(
        MeasuredProbability(
            instrument=symbol,
            timeframe=timeframe,
            event_type=one.bucket.type,
            event_kind=one.bucket.kind,
            direction=one.bucket.direction,
            tercile=one.bucket.tercile,
            score_above=one.score_above,
            score_to=one.score_to,
            n=one.n,
            wins=one.wins,
            p=one.p,
            low=one.low,
            high=one.high,
            p0=one.p0,
            placebo=one.placebo,
            placebo_n=one.placebo_n,
            data_from=calendar.utc(data_from_ms),
            data_to=calendar.utc(data_to_ms),
            made_at=made_at,
        )
        for one in probabilities
    )


def note_probability(signal: Signal, best: Score) -> None:
    """Fill a new signal's probability, by what was measured on data that ended before its candle.

    Where nothing was, it stays "not measured".
    """
    evidence = evidence_of(best)
    if evidence is None:
        return
    opened = signal.timestamp - _length(Timeframe.M15)
    found = measured_probability(signal.instrument, evidence, ended_by=opened)
    if found is None or found[0].p is None:
        return
    measured, data_to = found
    signal.probability = measured.p
    signal.probability_low, signal.probability_high = measured.low, measured.high
    signal.probability_n, signal.probability_random = measured.n, measured.p0
    signal.probability_of = (
        f"{evidence.timeframe} {evidence.type} {evidence.kind}, {evidence.direction}, "
        f"{measured.scores}, data until {data_to:%Y-%m-%d}"
    )


def measured_probability(
    symbol: str, evidence: Evidence, *, ended_by: datetime
) -> tuple[Probability, datetime] | None:
    """Return what the newest calibration that may be used says, and the end of its data.

    `None` where there is none.
    """
    rows = MeasuredProbability.objects.newest(symbol, evidence.timeframe, ended_by=ended_by)
    alike = list(
        rows.filter(
            event_type=evidence.type, event_kind=evidence.kind, direction=evidence.direction
        )
    )
    found = look_up(
        (row.value() for row in alike),
        evidence.type,
        evidence.kind,
        evidence.direction,
        evidence.score,
    )
    return None if found is None else (found, alike[0].data_to)


def with_probabilities(analysis: Analysis) -> dict[str, Any]:
    """Return a stored view with what its order blocks and sweeps are worth; `None`: not measured.

    Blocks say `institutional_probability`, sweeps `reversal_probability`.
    """
    opened = calendar.utc(analysis.close_time_ms) - _length(Timeframe(analysis.timeframe))
    rows = MeasuredProbability.objects.newest(analysis.symbol, analysis.timeframe, ended_by=opened)
    measured = [row.value() for row in rows]

    def worth(type_: EventType, kind: EventKind, finding: dict[str, Any]) -> float | None:
        found = look_up(measured, type_, kind, Bias(finding["direction"]), finding["score"])
        return None if found is None else found.p

    shown = {name: dict(part) for name, part in analysis.view.items()}
    if "order_blocks" in shown:
        shown["order_blocks"]["order_blocks"] = [
            block
            | {"institutional_probability": worth(EventType.ORDER_BLOCK, EventKind.RETEST, block)}
            for block in shown["order_blocks"]["order_blocks"]
        ]
    if "liquidity" in shown:
        shown["liquidity"]["sweeps"] = [
            sweep
            | {
                "reversal_probability": worth(
                    EventType.SWEEP, POOL_KINDS[PoolKind(sweep["kind"])], sweep
                )
            }
            for sweep in shown["liquidity"]["sweeps"]
        ]
    return shown


def _length(timeframe: Timeframe) -> timedelta:
    return timedelta(milliseconds=timeframe.milliseconds)
