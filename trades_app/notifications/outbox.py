"""The outbox: messages are put once, claimed by one worker and sent once."""

from datetime import timedelta

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client import Histogram

from signals_app.models import Instrument, Signal
from trades_app.models import Message, MessageQuerySet
from trades_app.notifications.telegram import bot

log = structlog.get_logger(__name__)

delivery_seconds = Histogram(
    "telegram_delivery_seconds",
    "From the message written with its event to Telegram's acceptance",
    buckets=(0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 600),
)
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 2, 600
#: Whom alerts go to; no symbol has this name.
_OPERATORS = "operators"
#: A worker that claimed a message and did not come back in this time died with it.
CLAIM_EXPIRES = timedelta(minutes=2)


def put(kind: str, signal: Signal, key: str, text: str) -> None:
    """Put a message about a signal in, with the rows of this transaction; a key counts once."""
    message = Message(key=key, kind=kind, signal=signal, instrument=signal.instrument, text=text)
    Message.objects.bulk_create([message], ignore_conflicts=True)
    # What gets no task is found by the next sweep.
    transaction.on_commit(wake, robust=True)


def wake() -> None:
    """Start a delivery now, where there is a bot to deliver with."""
    if bot.is_configured():
        current_app.send_task("trades_app.tasks.deliver")


def deliver_next() -> bool:
    """Send the oldest message that is due; return whether there may be more to do."""
    channels = _channels()
    if not channels:
        return False
    message = _claim(channels)
    if message is None:
        return False
    try:
        delivered = bot.send(
            channels[_addressee(message)], message.text, reply_to=_message_above(message)
        )
    except bot.TryLater as later:
        _postpone(message, str(later), later.seconds)
    except bot.Refused as refusal:
        _settle(message, status=Message.Status.FAILED, error=str(refusal))
        log.warning("message_refused", key=message.key, detail=str(refusal))
    else:
        sent_at = timezone.now()
        delivery_seconds.observe(max(0.0, (sent_at - message.created_at).total_seconds()))
        _settle(
            message,
            status=Message.Status.SENT,
            telegram_message_id=delivered.message_id,
            sent_at=sent_at,
            error="",
        )
        log.info("message_sent", key=message.key, telegram_message_id=delivered.message_id)
    return True


def release_lost_claims() -> int:
    """Give back messages whose worker died; return how many."""
    return Message.objects.filter(
        status=Message.Status.SENDING, claimed_at__lt=timezone.now() - CLAIM_EXPIRES
    ).update(status=Message.Status.WAITING)


def unsent() -> int:
    """Return how many messages could still be sent: those of instruments with a channel."""
    statuses = (Message.Status.WAITING, Message.Status.SENDING)
    return _to(_channels(), Message.objects.filter(status__in=statuses)).count()


def _channels() -> dict[str, str]:
    """Return the Telegram channel by symbol, and operators' own; empty where there is no bot."""
    if not bot.is_configured():
        return {}
    rows = Instrument.objects.exclude(telegram_channel="")
    channels = dict(rows.values_list("symbol", "telegram_channel"))
    if settings.OPERATOR_TELEGRAM_CHANNEL:
        channels[_OPERATORS] = settings.OPERATOR_TELEGRAM_CHANNEL
    return channels


def _addressee(message: Message) -> str:
    return _OPERATORS if message.kind == Message.ALERT else message.instrument


def _to(channels: dict[str, str], messages: MessageQuerySet) -> MessageQuerySet:
    """Return those of the messages that have a channel to go to."""
    instruments = [symbol for symbol in channels if symbol != _OPERATORS]
    followed = Q(instrument__in=instruments) & ~Q(kind=Message.ALERT)
    return messages.filter(followed | Q(kind=Message.ALERT) if _OPERATORS in channels else followed)


def _claim(channels: dict[str, str]) -> Message | None:
    """Claim the oldest due message; those behind an unsent one of the same signal wait for it."""
    due = _to(channels, Message.objects.due())
    for message in due.select_related("signal")[:20]:
        if _is_behind(message):
            continue
        claimed = Message.objects.filter(pk=message.pk, status=Message.Status.WAITING).update(
            status=Message.Status.SENDING, claimed_at=Now(), attempts=F("attempts") + 1
        )
        if claimed:
            message.attempts += 1
            return message
    return None


def _is_behind(message: Message) -> bool:
    if message.signal_id is None:
        return False
    before = Q(status__in=(Message.Status.WAITING, Message.Status.SENDING), pk__lt=message.pk)
    return Message.objects.filter(before, signal=message.signal_id).exists()


def _message_above(message: Message) -> int | None:
    """Return the Telegram id of the signal's announcement, which its later messages answer."""
    if message.signal_id is None:
        return None
    announcement = Message.objects.filter(key=f"signal:{message.signal_id}").first()
    return announcement.telegram_message_id if announcement is not None else None


def _postpone(message: Message, reason: str, seconds: float | None) -> None:
    pause = seconds or min(
        _FIRST_PAUSE_SECONDS * 2 ** (message.attempts - 1), _LONGEST_PAUSE_SECONDS
    )
    _settle(
        message,
        status=Message.Status.WAITING,
        not_before=timezone.now() + timedelta(seconds=pause),
        error=reason,
    )
    log.warning("message_postponed", key=message.key, seconds=pause, detail=reason)


def _settle(message: Message, **changes: object) -> None:
    Message.objects.filter(pk=message.pk).update(claimed_at=None, **changes)
