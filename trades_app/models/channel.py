"""Telegram's chats, what each of them gets, and how far each message's way into them is."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from signals_app.chat_names import NotAChat, normalised
from signals_app.models import Instrument
from trades_app.models.notification import Message
from trades_app.models.quiet_hours import is_quiet, zone_of


class Channel(models.Model):
    """One chat (or one topic of a forum), and what is sent to it.

    Rows of the instruments' and the environment's channels are made by themselves. One worker at a
    time serves a channel: the one whose `lease` is the row's, until `leased_until`.
    """

    class Audience(models.TextChoices):
        """Who reads it."""

        FOLLOWERS = "FOLLOWERS", "followers"
        OPERATORS = "OPERATORS", "operators: alerts"
        MIRROR = "MIRROR", "mirror: a copy for followers; its troubles fail no message"

    class Origin(models.TextChoices):
        """Where it is set up."""

        ADMIN = "ADMIN", "here"
        INSTRUMENT = "INSTRUMENT", "the instrument's row"
        ENVIRONMENT = "ENVIRONMENT", "OPERATOR_TELEGRAM_CHANNEL"

    class Sends(models.TextChoices):
        """Whether a kind of message is sent, and how loud."""

        NOT = "NOT", "not sent"
        SILENT = "SILENT", "without sound"
        DAYTIME = "DAYTIME", "with sound, outside quiet hours"
        LOUD = "LOUD", "always with sound"

    class Numbers(models.TextChoices):
        """How numbers are written."""

        EN = "EN", "1,234.50"
        DE = "DE", "1.234,50"
        FR = "FR", "1\u202f234,50"
        CH = "CH", "1\u2019234.50"

    class Access(models.TextChoices):
        """Whether it can be written to."""

        UNCHECKED = "UNCHECKED", "not checked yet"
        OPEN = "OPEN", "open"
        PARKED = "PARKED", "parked: needs an operator"

    chat = models.CharField(max_length=64, help_text="@name, t.me link or numeric id")
    topic_id = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="of a forum; empty: none"
    )
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.FOLLOWERS)
    origin = models.CharField(
        max_length=12, choices=Origin.choices, default=Origin.ADMIN, editable=False
    )
    instruments = models.ManyToManyField(Instrument, blank=True, help_text="none chosen: all")
    signals = models.CharField(max_length=8, choices=Sends.choices, default=Sends.DAYTIME)
    trades = models.CharField(max_length=8, choices=Sends.choices, default=Sends.DAYTIME)
    reports = models.CharField(max_length=8, choices=Sends.choices, default=Sends.SILENT)
    alerts = models.CharField(max_length=8, choices=Sends.choices, default=Sends.LOUD)
    edits_cards = models.BooleanField(
        "live cards", default=True, help_text="signals are edited as their trades go on"
    )
    numbers = models.CharField(max_length=2, choices=Numbers.choices, default=Numbers.EN)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    timezone = models.CharField(
        max_length=40, default="UTC", help_text="of the quiet hours, such as Europe/London"
    )
    sends_simulated = models.BooleanField(
        "simulated feeds", default=False, help_text="also signals whose prices are made up"
    )
    is_active = models.BooleanField(default=True)

    access = models.CharField(
        max_length=9, choices=Access.choices, default=Access.UNCHECKED, editable=False
    )
    problem = models.TextField(blank=True, editable=False)
    migrated_to = models.CharField(max_length=64, blank=True, editable=False)
    chat_id = models.BigIntegerField(null=True, editable=False, help_text="as Telegram says")
    title = models.CharField(max_length=255, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    opened_at = models.DateTimeField(
        null=True, editable=False, help_text="from when on there was a bot to write to it"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    lease = models.PositiveBigIntegerField(default=0, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    not_before = models.DateTimeField(db_default=Now(), editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    progress_edited_at = models.DateTimeField(null=True, editable=False)

    #: What its delivery writes; the other columns are what people set.
    WRITTEN_BY_DELIVERY = (
        *("access", "problem", "migrated_to", "chat_id", "title", "checked_at", "opened_at"),
        *("lease", "leased_until", "not_before", "failures", "progress_edited_at"),
    )

    class Meta:
        db_table = "channels"
        ordering = ("audience", "chat", "topic_id")
        constraints = (
            models.UniqueConstraint(
                fields=("chat", "topic_id"),
                name="one_channel_per_chat_and_topic",
                nulls_distinct=False,
                violation_error_message="There is a channel of this chat and topic.",
            ),
        )

    def __str__(self) -> str:
        topic = f" topic {self.topic_id}" if self.topic_id else ""
        return f"{self.title or self.chat}{topic}"

    def clean(self) -> None:
        """Put the chat's name right, or refuse it; refuse half of the quiet hours."""
        super().clean()
        try:
            self.chat = normalised(self.chat)
        except NotAChat as wrong:
            raise ValidationError({"chat": str(wrong)}) from None
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValidationError({"quiet_until": "Quiet hours have a beginning and an end."})
        try:
            zone_of(self.timezone)
        except ValueError as unknown:
            raise ValidationError({"timezone": str(unknown)}) from None

    def sends(self, kind: str) -> "Channel.Sends":
        """Whether and how it sends this kind of message."""
        column = {"SIGNAL": "signals", "TRADE": "trades", "REPORT": "reports", "ALERT": "alerts"}
        return Channel.Sends(getattr(self, column[kind]))

    def is_silent(self, kind: str, at: Any) -> bool:
        """Whether a message of this kind is to make no sound at this time."""
        match self.sends(kind):
            case Channel.Sends.LOUD:
                return False
            case Channel.Sends.DAYTIME:
                return is_quiet(at, self.quiet_from, self.quiet_until, self.timezone)
            case _:
                return True


class ChannelDelivery(models.Model):
    """One message's way into one channel; for a signal also the card that stands there.

    `copies` counts how often it may stand there: an attempt whose answer got lost may have been
    accepted. `card_digest` is that of what the card shows.
    """

    class Status(models.TextChoices):
        """How far it is."""

        WAITING = "WAITING"
        SENDING = "SENDING"
        SENT = "SENT"
        FAILED = "FAILED"
        SKIPPED = "SKIPPED"
        UNCONFIRMED = "UNCONFIRMED"

    class CardState(models.TextChoices):
        """Whether a signal's message is still edited."""

        NONE = "NONE"
        LIVE = "LIVE"
        FINAL = "FINAL"
        GONE = "GONE"

    UNSENT = (Status.WAITING, Status.SENDING)
    #: What an operator may have sent, or sent again.
    REPEATABLE = (Status.FAILED, Status.SKIPPED, Status.UNCONFIRMED)

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.WAITING)
    is_forced = models.BooleanField(default=False, help_text="an operator said: send anyway")
    attempts = models.PositiveIntegerField(default=0)
    copies = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    telegram_message_id = models.BigIntegerField(null=True, blank=True)
    has_picture = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    card = models.CharField(max_length=5, choices=CardState.choices, default=CardState.NONE)
    card_digest = models.CharField(max_length=64, blank=True)
    card_edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "deliveries"
        ordering = ("message", "channel")
        constraints = (
            models.UniqueConstraint(
                fields=("message", "channel"), name="one_delivery_per_message_and_channel"
            ),
        )
        indexes = (
            models.Index(
                fields=("channel", "message"),
                condition=models.Q(status__in=("WAITING", "SENDING")),
                name="delivery_unsent",
            ),
            models.Index(
                fields=("channel",), condition=models.Q(card="LIVE"), name="delivery_live_card"
            ),
        )

    def __str__(self) -> str:
        return f"{self.message} → {self.channel}"


class CallWindow(models.Model):
    """The latest calls of Telegram for one chat, or for the bot itself, by all processes.

    `calls` are Unix seconds of the database's clock, oldest first.
    """

    key = models.CharField(max_length=64, primary_key=True)
    calls = ArrayField(models.FloatField(), default=list)
    halted_until = models.FloatField(default=0, help_text="Unix seconds: Telegram's retry_after")

    class Meta:
        db_table = "telegram_calls"

    def __str__(self) -> str:
        return self.key


class TelegramBot(models.Model):
    """The bot of this installation: its token at rest, and whether Telegram takes it.

    There is one row. `fingerprint` is of the token that `problem` is about.
    """

    token = models.TextField(blank=True, editable=False, help_text="encrypted")
    fingerprint = models.CharField(max_length=16, blank=True, editable=False)
    problem = models.TextField(blank=True, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "telegram_bot"
        constraints = (models.CheckConstraint(condition=models.Q(pk=1), name="one_telegram_bot"),)

    def __str__(self) -> str:
        return "Telegram bot"
