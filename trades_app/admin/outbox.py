"""The outbox: which messages wait, were sent or failed, with their texts."""

import base64
from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from signals_app.admin.base import ReadOnlyAdmin, ReadOnlyInline
from signals_app.admin.display import BAD, BUSY, GOOD, NEUTRAL, labelled, link_to, moment
from signals_app.admin.filters import InstrumentFilter
from trades_app.models import ChannelDelivery, Message
from trades_app.notifications import kinds, outbox, preview
from trades_app.notifications.rendered import Rendered
from trades_app.notifications.telegram import bot
from trades_app.tasks import deliver

_COLOURS: Mapping[str, str] = {
    Message.Status.WAITING: BUSY,
    Message.Status.SENDING: NEUTRAL,
    Message.Status.SENT: GOOD,
    Message.Status.FAILED: BAD,
    Message.Status.SKIPPED: NEUTRAL,
}
_DELIVERY_COLOURS: Mapping[str, str] = {
    ChannelDelivery.Status.WAITING: BUSY,
    ChannelDelivery.Status.SENDING: NEUTRAL,
    ChannelDelivery.Status.SENT: GOOD,
    ChannelDelivery.Status.FAILED: BAD,
    ChannelDelivery.Status.SKIPPED: NEUTRAL,
    ChannelDelivery.Status.UNCONFIRMED: BAD,
}


def _text(text: str) -> SafeString:
    # By a style of its own: the theme's style sheet holds only what its own pages use.
    return format_html(
        '<pre class="font-sans" style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>',
        text,
    )


def _shown(content: Rendered) -> SafeString:
    """The picture, as wide as its place, above the text."""
    text = _text(content.plain_text)
    if content.picture is None:
        return text
    return format_html(
        '<img style="max-width: 100%; margin-bottom: 1rem" alt="{}" '
        'src="data:image/png;base64,{}">{}',
        "Candles, zones and levels of the signal",
        base64.b64encode(content.picture).decode(),
        text,
    )


class DeliveryInline(ReadOnlyInline):
    """A message's way into each of its channels."""

    model = ChannelDelivery
    verbose_name_plural = "Deliveries"
    fields = (
        *("channel", "state", "attempts", "copies", "sent_at", "telegram_message_id"),
        *("card", "error"),
    )
    readonly_fields = fields
    ordering = ("channel",)

    @labelled("status", _DELIVERY_COLOURS, "status")
    def state(self, delivery: ChannelDelivery) -> str:
        """How far it is."""
        return delivery.status


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """The outbox, newest first."""

    list_display = (
        "written_at",
        "kind",
        "instrument",
        "of_signal",
        "key",
        "state",
        "attempts",
        "sent",
        "trouble",
    )
    list_filter = ("status", "kind", InstrumentFilter)
    search_fields = ("key", "signal__signal_id")
    search_help_text = "Signal id or key"
    ordering = ("-pk",)
    list_select_related = ("signal",)
    actions: Any = ("retry",)
    inlines = (DeliveryInline,)
    fieldsets = (
        (
            None,
            {"fields": (("kind", "instrument"), "of_signal", ("state", "attempts"), "sent", "key")},
        ),
        ("Message", {"fields": ("as_sent", "as_it_stands")}),
        (
            "Delivery",
            {
                "fields": (
                    ("written_at", "happened_at"),
                    "telegram_message_id",
                    "error",
                )
            },
        ),
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list, and say so where nothing can be sent."""
        if not bot.is_configured():
            self.message_user(request, "There is no Telegram bot: messages stay here to be read.")
        return super().changelist_view(request, extra_context)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whoever may change messages may send them again."""
        return request.user.has_perm("trades_app.change_message")

    @admin.display(description="written (UTC)", ordering="pk")
    def written_at(self, message: Message) -> SafeString | str:
        """When it was put in."""
        return moment(message.created_at)

    @admin.display(description="signal")
    def of_signal(self, message: Message) -> SafeString | str:
        """The signal that it is about."""
        return link_to(message.signal, message.signal_id)

    @labelled("status", _COLOURS, "status")
    def state(self, message: Message) -> str:
        """How far its delivery is."""
        return message.status

    @admin.display(description="sent (UTC)", ordering="sent_at")
    def sent(self, message: Message) -> SafeString | str:
        """When Telegram accepted it."""
        return moment(message.sent_at)

    @admin.display(description="error")
    def trouble(self, message: Message) -> str:
        """The beginning of what went wrong."""
        return message.error[:80] or "-"

    @admin.display(description="as it is sent")
    def as_sent(self, message: Message) -> SafeString:
        """Its picture and text, made now as for sending; or why they cannot be made."""
        try:
            return _shown(preview.preview(message).first)
        except kinds.Unreadable as unreadable:
            return _text(str(unreadable))

    @admin.display(description="as it stands now")
    def as_it_stands(self, message: Message) -> SafeString | str:
        """A signal's card with its trade as it stands."""
        try:
            now = preview.preview(message).now
        except kinds.Unreadable:
            return "-"
        return "-" if now is None else _shown(now)

    @admin.action(description="Send anyway, or again", permissions=("retry",))
    def retry(self, request: HttpRequest, chosen: "models.QuerySet[Message]") -> None:
        """Send what was skipped, failed or is in doubt, and what waits now."""
        number = outbox.send_again(chosen)
        transaction.on_commit(deliver.delay)
        self.message_user(request, f"{number} will be sent.", messages.SUCCESS)
