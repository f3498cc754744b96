"""The delivery: serves one chat after another, each message in its order, by the flood law.

What a failed call means for the next one is decided here; see docs/operations/delivery.md.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import structlog
from django.utils import timezone
from prometheus_client import Counter, Histogram

from trades_app.models import Channel, ChannelDelivery, Message
from trades_app.notifications import channels, edits, kinds, lanes, outbox, routing, troubles
from trades_app.notifications.channels import is_allowed
from trades_app.notifications.rendered import Rendered
from trades_app.notifications.telegram import bot, flood
from trades_app.notifications.telegram.bot import Address
from trades_app.notifications.telegram.outcomes import (
    BotTokenRefused,
    CardGone,
    ChatClosed,
    ContentRefused,
    Halted,
    MethodUnknown,
    TelegramTrouble,
    Unconfirmed,
)

log = structlog.get_logger(__name__)

delivery_seconds = Histogram(
    "telegram_delivery_seconds",
    "From the message written with its event to Telegram's acceptance",
    buckets=(0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 600),
)
possible_duplicates = Counter(
    "telegram_possible_duplicates_total",
    "Messages sent once more because the answer about them got lost",
)

#: A place in the flood law's windows that is free so soon is waited for.
_PATIENCE_SECONDS = 1.5


_stopping = threading.Event()


def stop_soon() -> None:
    """Let this process make no further call: it is about to end, and should settle what it made."""
    _stopping.set()


def deliver(*, seconds: float = 20.0, start_another: Callable[[], object] | None = None) -> int:
    """Serve the channels that have something to do, until none has or the time is over.

    Returns how many calls were made. ``start_another`` is called where a further channel waits, so
    that a slow one holds up no other.
    """
    if not bot.is_configured():
        return 0
    routing.route()
    ends_at = time.monotonic() + seconds
    served: set[int] = set()
    calls = 0
    while time.monotonic() < ends_at and not _stopping.is_set():
        channel = lanes.take(excluding=served)
        if channel is None:
            break
        served.add(channel.pk)
        bot.prepare()
        if start_another is not None and lanes.ready().exclude(pk__in=served).exists():
            start_another()
        try:
            while not _stopping.is_set() and lanes.keep(channel) and _step(channel):
                calls += 1
                if time.monotonic() > ends_at:
                    break
        finally:
            lanes.release(channel)
    return calls


def _step(channel: Channel) -> bool:
    """Make one call for a channel; `False` where it has nothing to do or has to wait."""
    for lost in outbox.lost(channel):
        _doubt(lost, channel, "The process that sent it died before it knew the answer")
    if channel.checked_at is None or timezone.now() - channel.checked_at > lanes.CHECKED_EVERY:
        return _attempt(channel, _check)
    if ChannelDelivery.objects.filter(
        channel=channel, status=ChannelDelivery.Status.WAITING
    ).exists():
        return _send_next(channel)
    card = edits.due(channel)
    return card is not None and _attempt(channel, lambda served: _edit(served, card))


def _send_next(channel: Channel) -> bool:
    delivery = outbox.waiting(channel)
    if delivery is None:
        return False
    message = delivery.message
    if not delivery.is_forced and timezone.now() - message.created_at > routing.age_limit(
        message.kind
    ):
        outbox.settle_skipped(delivery, routing.too_old(message.kind))
        return True
    try:
        content = kinds.rendered(message, channel.numbers)
    except kinds.Unreadable as unreadable:
        outbox.settle_failed(delivery, str(unreadable))
        troubles.refused(delivery, channel, str(unreadable))
        return True
    if delivery.copies:
        content = kinds.marked_as_repeated(content)
    return _attempt(channel, lambda served: _send(served, delivery, content))


def _attempt(channel: Channel, call: Callable[[Channel], None]) -> bool:
    """Make a call by the flood law; `False` where the channel has to be let alone after it."""
    if not _has_place(channel):
        return False
    try:
        call(channel)
    except Halted as pause:
        flood.halt(chat_key(channel), pause.seconds)
        lanes.wait(channel, pause.seconds)
        return False
    except ChatClosed as closed:
        troubles.park(channel, closed)
        return False
    except BotTokenRefused as refused:
        troubles.park_bot(str(refused))
        return False
    except TelegramTrouble:
        lanes.back_off(channel)
        return False
    finally:
        flood.finish(chat_key(channel))
    lanes.worked(channel)
    return True


def _has_place(channel: Channel) -> bool:
    """Take a place for a call, waiting a little; `False`: the channel is let alone until then."""
    while (seconds := flood.acquire(chat_key(channel))) > 0:
        if seconds > _PATIENCE_SECONDS:
            lanes.wait(channel, seconds)
            return False
        time.sleep(seconds)
        if not lanes.keep(channel):
            return False
    return True


def _send(channel: Channel, delivery: ChannelDelivery, content: Rendered) -> None:
    message = delivery.message
    if not outbox.claim(delivery):
        return
    try:
        accepted = bot.send(
            _address(channel),
            content,
            reply_to=_answered_id(message, channel),
            is_silent=channel.is_silent(message.kind, timezone.now()),
        )
    except ContentRefused as refusal:
        outbox.settle_failed(delivery, str(refusal))
        troubles.refused(delivery, channel, str(refusal))
    except Unconfirmed as doubt:
        _doubt(delivery, channel, str(doubt))
        raise
    except TelegramTrouble as trouble:
        outbox.settle_waiting(delivery, str(trouble))
        log.warning("message_postponed", key=message.key, chat=channel.chat, detail=str(trouble))
        raise
    else:
        waited = timezone.now() - message.created_at
        delivery_seconds.observe(max(0.0, waited.total_seconds()))
        digest = edits.first_digest(message, channel, content)
        outbox.settle_sent(delivery, accepted, digest)
        if digest:
            edits.note_progress(channel)
        log.info(
            "message_sent",
            key=message.key,
            chat=channel.chat,
            telegram_message_id=accepted.message_id,
        )


def _doubt(delivery: ChannelDelivery, channel: Channel, reason: str) -> None:
    """An attempt may have been accepted: once more, or to an operator if that was often enough."""
    key = delivery.message.key
    if outbox.settle_unconfirmed(delivery, reason):
        possible_duplicates.inc()
        log.warning("message_sent_once_more", key=key, chat=channel.chat, detail=reason)
    else:
        log.warning("message_unconfirmed", key=key, chat=channel.chat, detail=reason)
        troubles.unconfirmed(delivery, channel)


def _check(channel: Channel) -> None:
    """Make sure that the chat is there, allowed, and that the bot may write to it."""
    try:
        found = bot.find_chat(channel.chat)
        first_key = chat_key(channel)
        channel.chat_id, channel.title = found.chat_id, found.title[:255]
        if not is_allowed(channel):
            raise ChatClosed("The chat is not in TELEGRAM_ALLOWED_CHATS")
        if twin := channels.twin_of(channel):
            raise ChatClosed(f"It is the chat {twin.chat} by another name: switch one of them off")
        if chat_key(channel) != first_key:
            flood.spend(chat_key(channel))
        if not found.is_private:
            if not _has_place(channel):
                return
            bot.check_rights(channel.chat)
    except (ContentRefused, MethodUnknown) as inconclusive:
        # A server that cannot say: sending shows what is wrong, if anything is.
        log.warning("channel_not_checked", chat=channel.chat, detail=str(inconclusive))
    troubles.reopen(channel)


def _edit(channel: Channel, card: edits.CardEdit) -> None:
    content = card.content
    if card.is_final and card.has_picture:
        content = replace(content, picture=kinds.final_picture(card.message, card.trade))
    try:
        bot.edit(_address(channel), card.message_id, content, has_picture=card.has_picture)
    except CardGone as gone:
        edits.settle_gone(card, str(gone))
        log.info("card_gone", key=card.key, chat=channel.chat, detail=str(gone))
    except ContentRefused as refusal:
        edits.settle_shown(card, error=str(refusal))
        log.warning("card_refused", key=card.key, chat=channel.chat, detail=str(refusal))
    else:
        edits.settle_shown(card)


def chat_key(channel: Channel) -> str:
    """What the flood law knows the chat by: its number once that is known."""
    return str(channel.chat_id or channel.chat)


def _address(channel: Channel) -> Address:
    return Address(channel.chat, channel.topic_id)


def _answered_id(message: Message, channel: Channel) -> int | None:
    """The Telegram id of the signal's announcement there, which its later messages answer."""
    if message.signal_id is None or message.kind == Message.Kind.SIGNAL:
        return None
    announced = Message.objects.filter(signal=message.signal_id, kind=Message.Kind.SIGNAL)
    here = ChannelDelivery.objects.filter(channel=channel, message__in=announced).first()
    if here is not None:
        return here.telegram_message_id
    # From before messages had deliveries: there was the instrument's own channel alone.
    if channel.origin != Channel.Origin.INSTRUMENT:
        return None
    return announced.values_list("telegram_message_id", flat=True).first()
