"""Where each symbol's stream stands, and what is still to be analysed and decided."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models.functions import Now

from signals_app.confluence.refusals import LiveReason, RefusalReason
from signals_app.market.calendar import iso
from signals_app.market.direction import Direction
from signals_app.market.tick import Tick
from signals_app.models import fields
from signals_app.models.strategy import Strategy


class StreamPosition(models.Model):
    """How far a symbol's ticks were used; moves in the transaction of their consequences.

    Locking this row is the right to use ticks. `seqs` and `writer` say where each connector resumes
    should Redis lose its memory.
    """

    instrument = fields.symbol(primary_key=True)
    entry_id = models.CharField(max_length=40, default="0-0", help_text="last stream entry used")
    ordinal = models.BigIntegerField(default=0, help_text="ticks used so far")
    time_ms = fields.moment("time", default=0, help_text="time of the last tick used")
    bid = models.FloatField(default=0)
    ask = models.FloatField(default=0)
    first_time_ms = fields.moment("first_time", default=0, help_text="time of the first tick ever")
    watermark_ms = fields.moment("watermark", default=0)
    seqs = models.JSONField(default=dict, help_text="last seq used, by connector")
    writer = models.CharField(
        max_length=64, blank=True, default="", help_text="connector that sent the last tick used"
    )
    tail = models.JSONField(
        default=list, help_text="ticks of the last one's millisecond: bid, ask, who sent it"
    )
    forming = models.JSONField(default=dict, help_text="the candles that are not closed yet")
    closed = models.JSONField(default=dict, help_text="end of the last closed candle, by timeframe")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "stream_positions"

    def __str__(self) -> str:
        return f"{self.instrument} at tick {self.ordinal}"

    def checkpoint(self) -> dict[str, Any]:
        """Return, as JSON, from where ticks are needed again should Redis hold none."""
        return {
            "ordinal": self.ordinal,
            "time_ms": self.time_ms,
            "bid": self.bid,
            "seqs": dict(self.seqs),
            "writer": self.writer,
            "watermark_ms": self.watermark_ms,
            "tail": list(self.tail),
        }


class Analysis(models.Model):
    """What the detectors said at the close of one candle; a function of its window alone.

    The row is made with the candle and filled by four tasks, one part of `view` each;
    `completed_at` says when the last of them was there. Until then it counts nowhere.
    """

    instrument = fields.symbol()
    timeframe = fields.timeframe()
    close_time_ms = fields.moment("close_time")
    candles = models.PositiveSmallIntegerField(default=0, help_text="candles in the window")
    view = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    due_at = models.DateTimeField(
        db_default=Now() + timedelta(seconds=15),
        editable=False,
        help_text="when it is asked for again, if it is not complete by then",
    )
    completed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "analyses"
        verbose_name_plural = "analyses"
        constraints = (
            models.UniqueConstraint(
                fields=("instrument", "timeframe", "close_time_ms"), name="one_analysis_per_close"
            ),
        )
        indexes = (
            models.Index(
                fields=("instrument", "due_at"),
                condition=models.Q(completed_at=None),
                name="analysis_incomplete",
            ),
        )

    def __str__(self) -> str:
        return f"{self.instrument} {self.timeframe} {iso(self.close_time_ms)}"


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Decisions by their closes and reasons."""

    def open(self, symbol: str) -> "DecisionQuerySet":
        """A symbol's undecided closes, in candle order."""
        return self.filter(
            instrument=symbol, outcome__in=(Decision.Outcome.PENDING, Decision.Outcome.OPENING)
        ).order_by("close_time_ms")

    def refusals(self) -> dict[tuple[str, str], int]:
        """How many closes made no signal, by symbol and reason."""
        rows = (
            self.exclude(reason="")
            .order_by("instrument", "reason")
            .values_list("instrument", "reason")
        )
        return {
            (symbol, reason): n for symbol, reason, n in rows.annotate(number=models.Count("pk"))
        }


class Decision(models.Model):
    """One M15 close: made with its candle, decided once, in candle order.

    The entry tick is the first at or after the close; it is unknown (`entry_ordinal` null) while a
    watermark has closed the candle and no tick came since. `checkpoint` is the stream's state
    before the stream entry that holds the entry tick: everything from there on may still be needed.
    """

    class Outcome(models.TextChoices):
        """What came of the close."""

        PENDING = "PENDING"
        OPENING = "OPENING", "signal made, trade not open yet"
        SIGNAL = "SIGNAL"
        BELOW = "BELOW", "score below the threshold"
        REFUSED = "REFUSED"

    instrument = fields.symbol()
    close_time_ms = fields.moment("close_time")
    h1_close_ms = fields.moment(
        "h1_close_time", null=True, help_text="end of the last H1 candle by then"
    )
    h4_close_ms = fields.moment(
        "h4_close_time", null=True, help_text="end of the last H4 candle by then"
    )
    entry_ordinal = models.BigIntegerField(null=True)
    entry_time_ms = fields.moment("entry_time", null=True)
    entry_bid = models.FloatField(null=True)
    entry_ask = models.FloatField(null=True)
    checkpoint = models.JSONField(default=dict, db_column="mark")
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.PENDING)
    direction = fields.kind(Direction, max_length=4, blank=True)
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    reason = fields.kind(
        RefusalReason, LiveReason, max_length=40, blank=True, help_text="why there is no signal"
    )
    text = models.TextField(blank=True)
    strategy = models.ForeignKey(
        Strategy,
        on_delete=models.PROTECT,
        related_name="decisions",
        null=True,
        help_text="the version that decided; null before that, and for what is older than this",
    )
    rate = fields.price(
        null=True,
        help_text="price of the pair that its money was exchanged at; null: none was needed",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_at = models.DateTimeField(null=True)
    record_seal = models.PositiveIntegerField(
        null=True, editable=False, help_text="number of the seal that covers it; null: none yet"
    )

    objects = DecisionQuerySet.as_manager()

    class Meta:
        db_table = "decisions"
        constraints = (
            models.UniqueConstraint(
                fields=("instrument", "close_time_ms"), name="one_decision_per_close"
            ),
        )
        indexes = (
            models.Index(
                fields=("instrument", "close_time_ms"),
                condition=models.Q(outcome__in=("PENDING", "OPENING")),
                name="decision_open",
            ),
            models.Index(fields=("-close_time_ms", "-id"), name="decision_newest"),
            models.Index(fields=("instrument", "record_seal"), name="decision_sealed"),
        )

    def __str__(self) -> str:
        return f"{self.instrument} {iso(self.close_time_ms)} {self.outcome}"

    def entry_tick(self) -> Tick:
        """The tick that the close is entered at; it must have one."""
        assert self.entry_ordinal is not None
        assert self.entry_time_ms is not None
        assert self.entry_bid is not None
        assert self.entry_ask is not None
        return Tick(self.entry_ordinal, self.entry_time_ms, self.entry_bid, self.entry_ask)
