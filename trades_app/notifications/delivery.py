"""The delivery: claims a message of the outbox, makes its text, sends it and settles it."""

import structlog
from django.utils import timezone
from prometheus_client import Histogram

from trades_app.models import Message
from trades_app.notifications import channels, kinds, outbox
from trades_app.notifications.telegram import bot

log = structlog.get_logger(__name__)

delivery_seconds = Histogram(
    "telegram_delivery_seconds",
    "From the message written with its event to Telegram's acceptance",
    buckets=(0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 600),
)


def deliver_next() -> bool:
    """Send the oldest message that is due; returns whether there may be more to do."""
    chats = channels.configured()
    message = outbox.claim(chats)
    if message is None:
        return False
    try:
        delivered = bot.send(
            chats.of(message), kinds.text_of(message), reply_to=_answered_id(message)
        )
    except bot.TryLater as later:
        pause = outbox.settle_later(message, str(later), later.seconds)
        log.warning("message_postponed", key=message.key, seconds=pause, detail=str(later))
    except (bot.Refused, kinds.Unreadable) as refusal:
        outbox.settle_failed(message, str(refusal))
        log.warning("message_refused", key=message.key, detail=str(refusal))
    else:
        waited = timezone.now() - message.created_at
        delivery_seconds.observe(max(0.0, waited.total_seconds()))
        outbox.settle_sent(message, delivered.message_id)
        log.info("message_sent", key=message.key, telegram_message_id=delivered.message_id)
    return True


def _answered_id(message: Message) -> int | None:
    """The Telegram id of the signal's announcement, which its later messages answer."""
    if message.signal_id is None:
        return None
    announced = Message.objects.filter(signal=message.signal_id, kind=Message.Kind.SIGNAL)
    return announced.values_list("telegram_message_id", flat=True).first()
