"""Measured probabilities in the database: stored by a calibration, looked up for a signal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Sum

from signals_app.confluence.scoring import Score
from signals_app.market import calendar
from signals_app.market.candle import Candles, Timeframe
from signals_app.models import Analysis, MeasuredProbability, PriceCandle, Signal
from signals_app.probability.estimate import EventKind, EventType, Measured, Probability, look_up
from signals_app.probability.evidence import POOL_KINDS, evidence_of
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


@dataclass(frozen=True, slots=True)
class Worth:
    """What one calibration says of findings; `data_to` is `None` where there is no calibration.

    A zone is worth what its retest is. `None`: not measured.
    """

    probabilities: tuple[Probability, ...] = ()
    data_to: datetime | None = None

    def of_order_block(self, direction: Bias, score: float) -> Measured | None:
        """Return how often blocks like this one held when price came back to them."""
        return self._of(EventType.ORDER_BLOCK, EventKind.RETEST, direction, score)

    def of_gap(self, direction: Bias, strength: float) -> Measured | None:
        """Return how often gaps like this one held when price came back to them."""
        return self._of(EventType.FVG, EventKind.RETEST, direction, strength)

    def of_sweep(self, kind: PoolKind, direction: Bias, score: float) -> Measured | None:
        """Return how often price turned after sweeps like this one."""
        return self._of(EventType.SWEEP, POOL_KINDS[kind], direction, score)

    def _of(
        self, type_: EventType, kind: EventKind, direction: Bias, score: float
    ) -> Measured | None:
        found = look_up(self.probabilities, type_, kind, direction, score)
        return None if found is None else found.measured


def worth_of(symbol: str, timeframe: str, *, ended_by: datetime) -> Worth:
    """Return what the calibration says that is on the newest data ended at ``ended_by`` or before.

    Whoever asks about a window gives its last candle's opening, so that nothing is told by what
    came later.
    """
    rows = list(MeasuredProbability.objects.newest(symbol, timeframe, ended_by=ended_by))
    return Worth(tuple(row.value() for row in rows), rows[0].data_to) if rows else Worth()


def note_probability(signal: Signal, best: Score) -> None:
    """Fill a new signal's probability, by what was measured on data that ended before its candle.

    Where nothing was, it stays "not measured".
    """
    evidence = evidence_of(best)
    if evidence is None:
        return
    opened = signal.timestamp - _length(Timeframe.M15)
    worth = worth_of(signal.instrument, evidence.timeframe, ended_by=opened)
    found = look_up(
        worth.probabilities, evidence.type, evidence.kind, evidence.direction, evidence.score
    )
    measured = None if found is None else found.measured
    if found is None or measured is None:
        return
    signal.probability, signal.probability_n = measured.p, measured.n
    signal.probability_low, signal.probability_high = measured.low, measured.high
    signal.probability_random = measured.random
    signal.probability_of = (
        f"{evidence.timeframe} {evidence.type} {evidence.kind}, {evidence.direction}, "
        f"{found.scores}, data until {worth.data_to:%Y-%m-%d}"
    )


def with_probabilities(analysis: Analysis) -> dict[str, Any]:
    """Return a stored view with what its findings are worth, in words, or "not measured".

    Blocks say `institutional_probability`, sweeps `reversal_probability`, gaps `probability`.
    """
    opened = calendar.utc(analysis.close_time_ms) - _length(Timeframe(analysis.timeframe))
    worth = worth_of(analysis.symbol, analysis.timeframe, ended_by=opened)

    def of_block(block: dict[str, Any]) -> Measured | None:
        return worth.of_order_block(Bias(block["direction"]), block["score"])

    def of_gap(gap: dict[str, Any]) -> Measured | None:
        return worth.of_gap(Bias(gap["direction"]), gap["strength"])

    def of_sweep(sweep: dict[str, Any]) -> Measured | None:
        kind = PoolKind(sweep["kind"])
        return worth.of_sweep(kind, Bias(sweep["direction"]), sweep["score"])

    told = (
        ("gaps", "gaps", "probability", of_gap),
        ("order_blocks", "order_blocks", "institutional_probability", of_block),
        ("liquidity", "sweeps", "reversal_probability", of_sweep),
    )
    shown = {name: dict(part) for name, part in analysis.view.items()}
    for part, findings, name, measured in told:
        if part in shown:
            shown[part][findings] = [
                finding | {name: str(measured(finding) or "not measured")}
                for finding in shown[part][findings]
            ]
    return shown


def _length(timeframe: Timeframe) -> timedelta:
    return timedelta(milliseconds=timeframe.milliseconds)
