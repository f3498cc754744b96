"""Calibrations in the database: made of price history, and stored where they may be used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from django.db import transaction
from django.db.models import Max, Sum
from django.utils import timezone

from signals_app.importers.progress import OnProgress, no_progress
from signals_app.market import calendar
from signals_app.market.candle import Timeframe
from signals_app.models import MeasuredProbability
from signals_app.probability.calibration import Calibration, calibrate
from signals_app.probability.estimate import Probability
from signals_app.services import audit
from signals_app.services.audit import Change
from signals_app.services.price_history import MarketHistory

_AUDITED = MeasuredProbability._meta.label_lower


@dataclass(frozen=True, slots=True)
class Calibrations:
    """What was measured, a sentence for each history that was too short to be, and what to know."""

    made: tuple[Calibration, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...] = ()


class StoreOutcome(Enum):
    """What became of a calibration: two ways of being stored, and two reasons why it was not."""

    IN_USE = "new signals are judged by it"
    NOT_IN_USE = "stored, but another one is on newer data"
    LOOK_BACK = "a look back in time says nothing about now"
    FEWER_OUTCOMES = "the one in use has more outcomes"


@dataclass(frozen=True, slots=True)
class StoreResult:
    """What became of a calibration, and the one in use before it; `None`: there was none."""

    outcome: StoreOutcome
    before: "CalibrationInUse | None"

    @property
    def is_stored(self) -> bool:
        """Whether the database holds it now."""
        return self.outcome in (StoreOutcome.IN_USE, StoreOutcome.NOT_IN_USE)


@dataclass(frozen=True, slots=True)
class CalibrationInUse:
    """The calibration that new signals are judged by: its outcomes, and the end of its data."""

    outcomes: int
    data_to: datetime


def calibrate_all(
    histories: Sequence[MarketHistory],
    *,
    until_ms: int | None = None,
    on_progress: OnProgress = no_progress,
) -> Calibrations:
    """Measure each history by itself, using what was known by ``until_ms`` (default: all).

    Raises `MarketFileError` where a file cannot be read.
    """
    made: list[Calibration] = []
    left_out: list[str] = []
    notes: list[str] = []
    for done, history in enumerate(histories):
        on_progress(done, len(histories), history.name)
        series = history.read()
        left_out += series.left_out
        notes += series.notes
        symbol = history.instrument.symbol
        found = calibrate(symbol, history.timeframe, series.runs, until_ms=until_ms)
        if found is not None:
            made.append(found)
    return Calibrations(tuple(made), tuple(left_out), tuple(notes))


def store_calibrations(
    calibrations: Iterable[Calibration], *, is_look_back: bool, is_forced: bool
) -> tuple[StoreResult, ...]:
    """Store those that should be used, or all where ``is_forced``; return each one's result.

    A look back in time, or one on fewer outcomes than the one in use, would make signals worse.
    """
    made_at = timezone.now()
    with transaction.atomic():
        return tuple(
            _store(one, made_at, is_look_back=is_look_back, is_forced=is_forced)
            for one in calibrations
        )


def calibration_in_use(symbol: str, timeframe: Timeframe) -> CalibrationInUse | None:
    """The calibration on the newest data; `None` where there is none."""
    rows = MeasuredProbability.objects.newest(symbol, timeframe)
    found = rows.aggregate(outcomes=Sum("n"), data_to=Max("data_to"))
    return None if found["data_to"] is None else CalibrationInUse(**found)


def store_probabilities(
    symbol: str,
    timeframe: Timeframe,
    probabilities: Sequence[Probability],
    *,
    data_from_ms: int,
    data_to_ms: int,
    made_at: datetime,
) -> None:
    """Store one calibration; earlier ones stay, since signals name them."""
    MeasuredProbability.objects.bulk_create(
        MeasuredProbability.of(
            one,
            instrument=symbol,
            timeframe=timeframe,
            data_from=calendar.utc(data_from_ms),
            data_to=calendar.utc(data_to_ms),
            made_at=made_at,
        )
        for one in probabilities
    )


def _store(
    one: Calibration, made_at: datetime, *, is_look_back: bool, is_forced: bool
) -> StoreResult:
    before = calibration_in_use(one.symbol, one.timeframe)
    if is_look_back and not is_forced:
        return StoreResult(StoreOutcome.LOOK_BACK, before)
    if before is not None and one.events < before.outcomes and not is_forced:
        return StoreResult(StoreOutcome.FEWER_OUTCOMES, before)
    store_probabilities(
        one.symbol,
        one.timeframe,
        one.probabilities,
        data_from_ms=one.from_ms,
        data_to_ms=one.to_ms,
        made_at=made_at,
    )
    measured = {"outcomes": one.events, "data_to": calendar.utc(one.to_ms)}
    name = f"{one.symbol} {one.timeframe}"
    audit.record(Change("calibrated", _AUDITED, name, after=measured))
    is_older = before is not None and before.data_to > calendar.utc(one.to_ms)
    return StoreResult(StoreOutcome.NOT_IN_USE if is_older else StoreOutcome.IN_USE, before)
