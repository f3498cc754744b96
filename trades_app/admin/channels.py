"""Channels: which Telegram chats there are, what each gets, and what stops it."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse

from signals_app.admin.base import ModelAdmin
from signals_app.admin.display import BAD, BUSY, GOOD, labelled, moment
from trades_app.models import Channel, ChannelDelivery, TelegramBot
from trades_app.notifications import channels, lanes
from trades_app.notifications.telegram import bot
from trades_app.tasks import deliver

_COLOURS: Mapping[str, str] = {
    Channel.Access.UNCHECKED: BUSY,
    Channel.Access.OPEN: GOOD,
    Channel.Access.PARKED: BAD,
}


@admin.register(Channel)
class ChannelAdmin(ModelAdmin):
    """A chat is a row; those of instruments and of the environment make theirs by themselves."""

    list_display = (
        "chat",
        "name",
        "topic_id",
        "read_by",
        "state",
        "waiting",
        "problem",
        "checked",
    )
    list_filter = ("audience", "access", "is_active")
    search_fields = ("chat", "title")
    readonly_fields = (
        *("origin", "name", "chat_id", "state", "problem", "migrated_to", "checked", "waiting"),
    )
    actions: Any = ("check_now", "take_new_id")
    fieldsets = (
        (None, {"fields": (("chat", "topic_id"), ("audience", "is_active"), "instruments")}),
        (
            "What it gets, and how loud",
            {
                "fields": (
                    ("signals", "trades"),
                    ("reports", "alerts"),
                    ("edits_cards", "sends_simulated"),
                    "numbers",
                    ("quiet_from", "quiet_until"),
                    "timezone",
                )
            },
        ),
        (
            "State",
            {
                "fields": (
                    ("state", "checked"),
                    ("name", "chat_id", "origin"),
                    "problem",
                    "migrated_to",
                    "waiting",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Any]":
        """The channels, each with how many messages wait for it."""
        unsent = models.Q(deliveries__status__in=ChannelDelivery.UNSENT)
        counted = models.Count("deliveries", filter=unsent)
        rows: models.QuerySet[Any] = super().get_queryset(request)
        found: models.QuerySet[Any] = rows.annotate(waiting_messages=counted)
        return found

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:  # noqa: ARG002
        """The chat too, where it is set up elsewhere."""
        is_elsewhere = obj is not None and obj.origin != Channel.Origin.ADMIN
        return (*self.readonly_fields, *(("chat", "topic_id", "audience") if is_elsewhere else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was sent to a chat stays known: it is switched off, unless nothing ever was."""
        if obj is None or obj.origin != Channel.Origin.ADMIN or obj.deliveries.exists():
            return False
        return bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A chat that was changed is another one: it is checked before anything is sent."""
        if "chat" in form.changed_data:
            obj.chat_id, obj.title, obj.checked_at, obj.opened_at = None, "", None, None
            obj.access, obj.problem, obj.migrated_to = Channel.Access.UNCHECKED, "", ""
        super().save_model(request, obj, form, change)
        transaction.on_commit(deliver.delay, robust=True)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list, and say so where nothing can be sent."""
        row = TelegramBot.objects.filter(pk=1).first()
        if not bot.is_configured():
            text = "There is no Telegram bot: give its token by manage.py telegram_token."
            self.message_user(request, text, messages.WARNING)
        elif row is not None and row.problem and lanes.is_bot_parked():
            self.message_user(request, f"{row.problem}. Messages wait.", messages.ERROR)
        return super().changelist_view(request, extra_context)

    @admin.display(description="title", ordering="title")
    def name(self, channel: Channel) -> str:
        """Its title, as Telegram says."""
        return channel.title or "-"

    @admin.display(description="read by", ordering="audience")
    def read_by(self, channel: Channel) -> str:
        """Who reads it."""
        return channel.audience.lower()

    @labelled("state", _COLOURS, "access")
    def state(self, channel: Channel) -> str:
        """Whether it can be written to."""
        return channel.access

    @admin.display(description="messages waiting")
    def waiting(self, channel: Channel) -> int:
        """How many messages wait for it."""
        return int(getattr(channel, "waiting_messages", 0))

    @admin.display(description="checked (UTC)", ordering="checked_at")
    def checked(self, channel: Channel) -> str:
        """When Telegram last said that the bot may write to it."""
        return str(moment(channel.checked_at))

    @admin.action(description="Check now", permissions=("change",))
    def check_now(self, request: HttpRequest, chosen: "models.QuerySet[Channel]") -> None:
        """Ask Telegram for the chats now; those that are mended get what waits for them."""
        number = lanes.check_again(Channel.objects.filter(pk__in=chosen.values("pk")))
        transaction.on_commit(deliver.delay, robust=True)
        self.message_user(request, f"{number} will be checked.", messages.SUCCESS)

    @admin.action(description="Take the supergroup's id over", permissions=("change",))
    def take_new_id(self, request: HttpRequest, chosen: "models.QuerySet[Channel]") -> None:
        """Go on in the supergroups that groups became, with what waits."""
        for channel in Channel.objects.filter(pk__in=chosen.values("pk")):
            try:
                channels.take_new_id(channel)
            except channels.NoNewId as reason:
                self.message_user(request, str(reason), messages.WARNING)
            else:
                self.message_user(request, f"{channel} is {channel.chat} now.", messages.SUCCESS)
        transaction.on_commit(deliver.delay, robust=True)
