"""The outbox's rows: messages that hold what happened; their text is made when they are sent."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from signals_app.models import Signal, fields


class MessageQuerySet(models.QuerySet["Message"]):
    """The outbox, as its workers see it."""

    def unsent(self) -> "MessageQuerySet":
        """Those that were not given to Telegram, nor up."""
        return self.filter(status__in=Message.UNSENT)

    def due(self) -> "MessageQuerySet":
        """Those that may be sent now, oldest first."""
        return self.filter(status=Message.Status.WAITING, not_before__lte=Now()).order_by("pk")

    def lost(self, claimed_for: timedelta) -> "MessageQuerySet":
        """Those whose worker claimed them so long ago that it must have died."""
        claimed_before = timezone.now() - claimed_for
        return self.filter(status=Message.Status.SENDING, claimed_at__lt=claimed_before)

    def claim(self, message: "Message") -> bool:
        """Give a waiting message to the caller alone; `False` where another worker was faster."""
        claimed = self.filter(pk=message.pk, status=Message.Status.WAITING).update(
            status=Message.Status.SENDING, claimed_at=Now(), attempts=F("attempts") + 1
        )
        if claimed:
            message.attempts += 1
        return bool(claimed)

    def settle(self, message: "Message", **columns: Any) -> None:
        """Give a claimed message back with what came of the attempt."""
        self.filter(pk=message.pk).update(claimed_at=None, **columns)


class Message(models.Model):
    """One message, put into the outbox in the transaction of the rows that it is about.

    `key` names the event, so that no event has two messages. `data` is what happened, with the
    figures as they stood then: `notifications.kinds` makes the text of it. A worker claims it by a
    conditional update; without a Telegram token or channel it stays here to be read.
    """

    class Kind(models.TextChoices):
        """What it is about; each kind has its own data and its own text."""

        SIGNAL = "SIGNAL"
        TRADE = "TRADE"
        REPORT = "REPORT"
        ALERT = "ALERT"

    class Addressee(models.TextChoices):
        """Whose channel it goes to: the instrument's followers', or the operators' own."""

        FOLLOWERS = "FOLLOWERS"
        OPERATORS = "OPERATORS"

    class Status(models.TextChoices):
        """How far its delivery is."""

        WAITING = "WAITING"
        SENDING = "SENDING"
        SENT = "SENT"
        FAILED = "FAILED"

    UNSENT = (Status.WAITING, Status.SENDING)

    key = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    addressee = models.CharField(
        max_length=10, choices=Addressee.choices, default=Addressee.FOLLOWERS
    )
    instrument = fields.symbol()
    signal = models.ForeignKey(Signal, on_delete=models.PROTECT, null=True, related_name="messages")
    data = models.JSONField(default=dict, help_text="what happened, with its figures")
    digest = models.CharField(
        max_length=64, blank=True, help_text="the record's, as a report publishes it"
    )
    text = models.TextField(
        blank=True, help_text="only of messages from before they held data: sent as it is"
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    telegram_message_id = models.BigIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    record_seal = models.PositiveIntegerField(
        null=True, editable=False, help_text="number of the seal that covers it; null: none yet"
    )

    objects = MessageQuerySet.as_manager()

    class Meta:
        db_table = "outbox"
        indexes = (
            models.Index(fields=("instrument", "record_seal"), name="message_sealed"),
            models.Index(
                fields=("not_before",),
                condition=models.Q(status__in=("WAITING", "SENDING")),
                name="message_unsent",
            ),
        )

    def __str__(self) -> str:
        return self.key

    @property
    def is_behind(self) -> bool:
        """Whether an older message of the same signal was not sent yet."""
        if self.signal_id is None:
            return False
        older = Q(pk__lt=self.pk, signal=self.signal_id)
        return Message.objects.unsent().filter(older).exists()
