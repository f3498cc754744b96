"""What follows from Telegram's refusals: channels and the bot parked, and operators' alerts."""

import structlog
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from trades_app.models import Channel, ChannelDelivery, Message
from trades_app.notifications import lanes, outbox
from trades_app.notifications.content.alerts import (
    BotRefused,
    ChannelParked,
    ChannelReopened,
    DeliveryAlert,
    MessagesRefused,
    MessageUnconfirmed,
)
from trades_app.notifications.outbox import Subject
from trades_app.notifications.telegram.outcomes import ChatClosed, ChatMigrated

log = structlog.get_logger(__name__)


def park(channel: Channel, closed: ChatClosed) -> None:
    """Leave a channel to an operator; messages wait, and nothing is tried but an hourly check."""
    migrated_to = closed.chat if isinstance(closed, ChatMigrated) else ""
    with transaction.atomic():
        if lanes.park(channel, str(closed), migrated_to=migrated_to):
            alert = ChannelParked(str(channel), str(closed), migrated_to)
            _put(f"alert:channel:{channel.pk}:parked:{_stamp()}", alert)
    log.warning("channel_parked", chat=channel.chat, detail=str(closed))


def reopen(channel: Channel) -> None:
    """A channel was checked: it takes messages."""
    was_parked = channel.access == Channel.Access.PARKED
    channel.access, channel.checked_at = Channel.Access.OPEN, timezone.now()
    with transaction.atomic():
        Channel.objects.filter(pk=channel.pk).update(
            access=channel.access,
            problem="",
            migrated_to="",
            checked_at=Now(),
            chat_id=channel.chat_id,
            title=channel.title,
        )
        if was_parked:
            _put(f"alert:channel:{channel.pk}:reopened:{_stamp()}", ChannelReopened(str(channel)))
    log.info("channel_checked", chat=channel.chat, chat_id=channel.chat_id, title=channel.title)


def park_bot(reason: str) -> None:
    """Leave the token to an operator; messages wait, and one call in ten minutes tries it again."""
    with transaction.atomic():
        if lanes.park_bot(reason):
            _put(f"alert:bot:refused:{_stamp()}", BotRefused(reason))
    log.warning("bot_refused", detail=reason)


def refused(delivery: ChannelDelivery, channel: Channel, reason: str) -> None:
    """A message will never be accepted by a chat; told once an hour and chat."""
    key = delivery.message.key
    log.warning("message_refused", key=key, chat=channel.chat, detail=reason)
    # An alert about an alert would be refused as well.
    if delivery.message.kind != Message.Kind.ALERT:
        hour = f"{timezone.now():%Y%m%d%H}"
        alert = MessagesRefused(str(channel), key, reason)
        _put(f"alert:channel:{channel.pk}:refused:{hour}", alert)


def unconfirmed(delivery: ChannelDelivery, channel: Channel) -> None:
    """A message may or may not stand in a chat, and is not sent any more."""
    if delivery.message.kind != Message.Kind.ALERT:
        alert = MessageUnconfirmed(str(channel), delivery.message.key, delivery.copies)
        _put(f"alert:delivery:{delivery.pk}:unconfirmed:{_stamp()}", alert)


def _put(key: str, alert: DeliveryAlert) -> None:
    outbox.put(Message.Kind.ALERT, Subject.for_operators(), key, alert)


def _stamp() -> str:
    return f"{timezone.now():%Y%m%dT%H%M%S}"
