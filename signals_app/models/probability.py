"""What price history says about events like those that signals lean on."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import OuterRef, Subquery

from signals_app.models import fields
from signals_app.models.values import ValueColumns
from signals_app.probability.estimate import Bucket, EventType, MeasuredEventKind, Probability
from signals_app.smc.measures import Bias


class MeasuredProbabilityQuerySet(models.QuerySet["MeasuredProbability"]):
    def newest(
        self, symbol: str, timeframe: str, *, ended_by: datetime | None = None
    ) -> "MeasuredProbabilityQuerySet":
        """The calibration on the newest data, that ended at ``ended_by`` or before.

        Of several on data to the same end the one that was made last: a look back in time that
        was made later replaces nothing.
        """
        usable = self.filter(instrument=symbol, timeframe=timeframe)
        if ended_by is not None:
            usable = usable.filter(data_to__lte=ended_by)
        latest = usable.order_by("-data_to", "-made_at").values("made_at")[:1]
        return usable.filter(made_at=latest)

    def in_use(self) -> "MeasuredProbabilityQuerySet":
        """Return, of each instrument and timeframe, the calibration that `newest` gives."""
        alike = self.filter(instrument=OuterRef("instrument"), timeframe=OuterRef("timeframe"))
        latest = alike.order_by("-data_to", "-made_at").values("made_at")[:1]
        return self.filter(made_at=Subquery(latest))


class MeasuredProbability(models.Model):
    """One bucket of one calibration: events alike, how many won, and how sure that is.

    All rows of an instrument and timeframe with the same `made_at` are one calibration. None is
    ever changed: signals were announced with it.
    """

    instrument = fields.symbol()
    timeframe = fields.timeframe()
    event_type = fields.kind(EventType, max_length=12)
    event_kind = fields.kind(MeasuredEventKind, max_length=6)
    direction = fields.kind(Bias, max_length=7)
    tercile = models.PositiveSmallIntegerField(help_text="third of the scores, 1 the lowest")
    score_above = models.FloatField(null=True, help_text="null: no lower bound")
    score_to = models.FloatField(null=True, help_text="null: no upper bound")
    n = models.PositiveIntegerField(help_text="outcomes")
    wins = models.PositiveIntegerField(help_text="+1 R before -1 R within 48 candles")
    p = models.FloatField(null=True, help_text="null: fewer than 200 outcomes, not measured")
    low = models.FloatField(null=True, help_text="Wilson 95 %")
    high = models.FloatField(null=True, help_text="Wilson 95 %")
    p0 = models.FloatField(null=True, help_text="win rate of matched random entries")
    placebo = models.FloatField(null=True, help_text="win rate where the detector found nothing")
    placebo_n = models.PositiveIntegerField(default=0)
    data_from = models.DateTimeField()
    data_to = models.DateTimeField(help_text="end of the last candle")
    made_at = models.DateTimeField()

    objects = MeasuredProbabilityQuerySet.as_manager()

    columns: ClassVar = ValueColumns(
        Probability,
        parts={"bucket": ValueColumns(Bucket, names={"type": "event_type", "kind": "event_kind"})},
    )

    class Meta:
        db_table = "measured_probabilities"
        verbose_name_plural = "measured probabilities"
        ordering = ("-made_at", "instrument", "timeframe", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=(
                    *("instrument", "timeframe", "made_at"),
                    *("event_type", "event_kind", "direction", "tercile"),
                ),
                name="one_row_per_bucket",
            ),
        )
        indexes = (
            models.Index(
                fields=("instrument", "timeframe", "-data_to", "-made_at"),
                name="probability_newest",
            ),
        )

    def __str__(self) -> str:
        return (
            f"{self.instrument} {self.timeframe} {self.event_type} {self.event_kind} "
            f"{self.direction} {self.tercile}"
        )

    @classmethod
    def of(cls, probability: Probability, **others: Any) -> "MeasuredProbability":
        """An unsaved row of the core's value, and of what is known beside it."""
        return cls(**cls.columns.of(probability), **others)

    def value(self) -> Probability:
        """The core's value of this row."""
        return self.columns.value(self)
