"""The outbox's rows: messages that hold what happened; their text is made when they are sent."""

from django.db import models
from django.db.models.functions import Now

from signals_app.models import Signal, fields


class MessageQuerySet(models.QuerySet["Message"]):
    """The outbox, as its workers see it."""

    def unrouted(self) -> "MessageQuerySet":
        """Those that have no deliveries yet, oldest first."""
        return self.filter(status=Message.Status.WAITING, routed_at=None).order_by("pk")


class Message(models.Model):
    """One message, put into the outbox in the transaction of the rows that it is about.

    `key` names the event, so that no event has two messages. `data` is what happened, with the
    figures as they stood then: `notifications.kinds` makes the text of it. Each channel that it
    goes to has a delivery, whose outcomes are summed up here; without a Telegram token or channel
    it stays here to be read.
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
        SKIPPED = "SKIPPED"

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
    happened_at = models.DateTimeField(
        db_default=Now(), editable=False, help_text="of the event, by the market's clock"
    )
    routed_at = models.DateTimeField(
        null=True, editable=False, help_text="when it was given to its channels"
    )
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
            models.Index(
                fields=("id",),
                condition=models.Q(status="WAITING", routed_at=None),
                name="message_unrouted",
            ),
        )

    def __str__(self) -> str:
        return self.key

    @property
    def is_simulated(self) -> bool:
        """Whether it is about made-up prices."""
        return bool(self.data.get("is_simulated"))
