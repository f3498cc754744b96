"""Gives each message of the outbox to its channels, and keeps what is too old for them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from signals_app.models import Decision
from trades_app.models import Channel, ChannelDelivery, Message
from trades_app.notifications import channels
from trades_app.notifications.channels import Directory

#: So many messages are given to their channels in one transaction.
_BATCH = 500
#: A close that was decided so soon after its candle's end came from a feed that kept up.
_LIVE = timedelta(minutes=2)

#: Why a message was not sent as new.
TOO_OLD = "Older than {limit} when it could be sent: kept, not sent as new"
NO_CHANNEL = "There was no channel for it in time"
SIMULATED = "Of a simulated feed, which no channel of its readers asks for"


def age_limit(kind: str) -> timedelta:
    """How old a message of this kind may be when it is sent."""
    limits: Mapping[str, int] = settings.MESSAGE_AGE_MINUTES
    return timedelta(minutes=limits[kind])


def too_old(kind: str) -> str:
    """The sentence that a skipped message of this kind is kept with."""
    return TOO_OLD.format(limit=_words(age_limit(kind)))


def route() -> int:
    """Give the messages that have no deliveries yet to their channels; returns how many."""
    channels.sync()
    directory = Directory()
    if not directory:
        return 0
    feeds = _Feeds()
    routed, after = 0, 0
    while True:
        with transaction.atomic():
            messages = list(
                Message.objects.unrouted()
                .filter(pk__gt=after)
                .select_for_update(skip_locked=True)[:_BATCH]
            )
            if not messages:
                return routed
            after = messages[-1].pk
            routed += _route(messages, directory, feeds)


def _route(messages: list[Message], directory: Directory, feeds: "_Feeds") -> int:
    now = timezone.now()
    deliveries: list[ChannelDelivery] = []
    routed: list[int] = []
    skipped: dict[str, list[int]] = {}
    for message in messages:
        goes_to = directory.of(message)
        if not goes_to:
            if reason := _without_channel(message, directory, now):
                skipped.setdefault(reason, []).append(message.pk)
            continue
        fresh = {channel.pk for channel in goes_to if feeds.is_fresh(message, channel, now)}
        reason = too_old(message.kind)
        if fresh:
            routed.append(message.pk)
        else:
            skipped.setdefault(reason, []).append(message.pk)
        deliveries += [
            ChannelDelivery(message=message, channel=channel)
            if channel.pk in fresh
            else ChannelDelivery(
                message=message,
                channel=channel,
                status=ChannelDelivery.Status.SKIPPED,
                error=reason,
            )
            for channel in goes_to
        ]
    ChannelDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    Message.objects.filter(pk__in=routed).update(routed_at=Now())
    for reason, ids in skipped.items():
        Message.objects.filter(pk__in=ids).update(
            routed_at=Now(), status=Message.Status.SKIPPED, error=reason
        )
    return len(routed)


def _without_channel(message: Message, directory: Directory, now: datetime) -> str:
    """Why a message without a channel is not waited with any longer; empty: it waits for one."""
    if message.is_simulated and directory.of(message, asked=True):
        return SIMULATED
    if now - message.created_at > age_limit(message.kind):
        return NO_CHANNEL
    return ""


class _Feeds:
    """Which messages are news for a channel; asks for each symbol once."""

    def __init__(self) -> None:
        self._live: dict[str, bool] = {}

    def is_fresh(self, message: Message, channel: Channel, now: datetime) -> bool:
        """Whether a message may be sent to a channel as new.

        Its event's own time counts where it was put in before the channel was there, and where the
        symbol's feed is one that keeps up with the clock. A replay of the past into a channel that
        was there before is what its operator wants to see.
        """
        limit = age_limit(message.kind)
        if now - message.created_at > limit:
            return False
        if now - message.happened_at <= limit:
            return True
        opened_at = channel.opened_at or channel.created_at
        return message.created_at >= opened_at and not self._was_live(message.instrument)

    def _was_live(self, symbol: str) -> bool:
        if symbol not in self._live:
            in_time = F("close_time_ms") + _LIVE
            self._live[symbol] = Decision.objects.filter(
                instrument=symbol, created_at__gte=F("close_time_ms"), created_at__lte=in_time
            ).exists()
        return self._live[symbol]


def _words(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
