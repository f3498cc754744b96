"""What the calibration in the database says: of a signal that is made, of findings on a page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from signals_app.confluence.scoring import Score
from signals_app.market import calendar
from signals_app.market.candle import Timeframe
from signals_app.models import Analysis, MeasuredProbability, Signal
from signals_app.probability.estimate import (
    EventType,
    Measured,
    MeasuredEventKind,
    Probability,
    look_up,
)
from signals_app.probability.evidence import POOL_KINDS, evidence_of
from signals_app.smc.liquidity import PoolKind
from signals_app.smc.measures import Bias


@dataclass(frozen=True, slots=True)
class FindingProbabilities:
    """How often findings like one at hand held, by one calibration; `None`: not measured.

    A zone is worth what its retest is. `data_to` is the end of what was measured, `None` where
    there is no calibration.
    """

    probabilities: tuple[Probability, ...] = ()
    data_to: datetime | None = None

    def of_order_block(self, direction: Bias, score: float) -> Measured | None:
        """How often blocks like this one held when price came back to them."""
        return self._of(EventType.ORDER_BLOCK, MeasuredEventKind.RETEST, direction, score)

    def of_gap(self, direction: Bias, strength: float) -> Measured | None:
        """How often gaps like this one held when price came back to them."""
        return self._of(EventType.FVG, MeasuredEventKind.RETEST, direction, strength)

    def of_sweep(self, kind: PoolKind, direction: Bias, score: float) -> Measured | None:
        """How often price turned after sweeps like this one."""
        return self._of(EventType.SWEEP, POOL_KINDS[kind], direction, score)

    def _of(
        self, type_: EventType, kind: MeasuredEventKind, direction: Bias, score: float
    ) -> Measured | None:
        found = look_up(self.probabilities, type_, kind, direction, score)
        return None if found is None else found.measured


def finding_probabilities(
    symbol: str, timeframe: str, *, ended_by: datetime
) -> FindingProbabilities:
    """The calibration on the newest data that ended at ``ended_by`` or before.

    Whoever asks about a window gives its last candle's opening, so that nothing is judged by what
    came later.
    """
    rows = list(MeasuredProbability.objects.newest(symbol, timeframe, ended_by=ended_by))
    if not rows:
        return FindingProbabilities()
    return FindingProbabilities(tuple(row.value() for row in rows), rows[0].data_to)


def note_probability(signal: Signal, best: Score) -> None:
    """Fill a new signal's probability, by what was measured on data that ended before its candle.

    Where nothing was, it stays "not measured".
    """
    evidence = evidence_of(best)
    if evidence is None:
        return
    opened = signal.timestamp - _length(Timeframe.M15)
    known = finding_probabilities(signal.instrument, evidence.timeframe, ended_by=opened)
    found = look_up(
        known.probabilities, evidence.type, evidence.kind, evidence.direction, evidence.score
    )
    measured = None if found is None else found.measured
    if found is None or measured is None:
        return
    for column, held in Signal.measured_columns.of(measured).items():
        setattr(signal, column, held)
    signal.probability_of = (
        f"{evidence.timeframe} {evidence.type} {evidence.kind}, {evidence.direction}, "
        f"{found.scores}, data until {known.data_to:%Y-%m-%d}"
    )


def with_probabilities(analysis: Analysis) -> dict[str, Any]:
    """A stored view in which each finding says its probability, or "not measured".

    Blocks say `institutional_probability`, sweeps `reversal_probability`, gaps `probability`.
    """
    opened = calendar.utc(analysis.close_time_ms) - _length(Timeframe(analysis.timeframe))
    known = finding_probabilities(analysis.instrument, analysis.timeframe, ended_by=opened)

    def of_block(block: dict[str, Any]) -> Measured | None:
        return known.of_order_block(Bias(block["direction"]), block["score"])

    def of_gap(gap: dict[str, Any]) -> Measured | None:
        return known.of_gap(Bias(gap["direction"]), gap["strength"])

    def of_sweep(sweep: dict[str, Any]) -> Measured | None:
        kind = PoolKind(sweep["kind"])
        return known.of_sweep(kind, Bias(sweep["direction"]), sweep["score"])

    measures = (
        ("gaps", "gaps", "probability", of_gap),
        ("order_blocks", "order_blocks", "institutional_probability", of_block),
        ("liquidity", "sweeps", "reversal_probability", of_sweep),
    )
    shown = {name: dict(part) for name, part in analysis.view.items()}
    for part, findings, name, measured in measures:
        if part in shown:
            shown[part][findings] = [
                finding | {name: str(measured(finding) or "not measured")}
                for finding in shown[part][findings]
            ]
    return shown


def _length(timeframe: Timeframe) -> timedelta:
    return timedelta(milliseconds=timeframe.milliseconds)
