"""Who serves which channel: one worker at a time, so that the order of its messages stays."""

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from signals_app.services import audit
from signals_app.services.audit import Change
from trades_app.models import Channel, ChannelDelivery, TelegramBot
from trades_app.notifications.telegram import token

#: After a channel's first failure in a row; each further one doubles it, up to the longest.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 2, 600
#: How long a check of a chat counts.
CHECKED_EVERY = timedelta(days=1)
#: A parked channel is tried again so often: somebody may have mended it at Telegram's side.
_PARKED_FOR = timedelta(hours=1)


def take(*, excluding: Collection[int] = ()) -> Channel | None:
    """The lease of a channel that has something to do now; `None`: none has."""
    for channel in ready().exclude(pk__in=excluding)[:50]:
        free = Q(leased_until=None) | Q(leased_until__lt=Now())
        taken = Channel.objects.filter(free, pk=channel.pk, lease=channel.lease).update(
            lease=F("lease") + 1, leased_until=Now() + lease_time()
        )
        if taken:
            channel.lease += 1
            return channel
    return None


def ready() -> QuerySet[Channel]:
    """Channels that nobody serves and that have something to do now, the longest waiting first."""
    if is_bot_parked():
        return Channel.objects.none()
    unsent = ChannelDelivery.objects.filter(
        channel=OuterRef("pk"), status__in=ChannelDelivery.UNSENT
    )
    cards = ChannelDelivery.objects.filter(
        channel=OuterRef("pk"), card=ChannelDelivery.CardState.LIVE
    )
    unchecked = Q(checked_at=None) | Q(checked_at__lt=Now() - CHECKED_EVERY)
    free = Q(leased_until=None) | Q(leased_until__lt=Now())
    return (
        Channel.objects.filter(free, is_active=True, not_before__lte=Now())
        .exclude(opened_at=None)
        .filter(unchecked | Exists(unsent) | Exists(cards))
        .order_by("not_before", "pk")
    )


def keep(channel: Channel) -> bool:
    """Prolong a lease before the next call; `False` where it was lost to another worker."""
    mine = Channel.objects.filter(pk=channel.pk, lease=channel.lease)
    return bool(mine.update(leased_until=Now() + lease_time()))


def release(channel: Channel) -> None:
    """Give a channel back."""
    Channel.objects.filter(pk=channel.pk, lease=channel.lease).update(leased_until=None)


def lease_time() -> timedelta:
    """Longer than any call takes: whoever has a lease for longer died with it."""
    timeout = settings.TELEGRAM_TIMEOUT
    return timedelta(seconds=2 * timeout + min(timeout, 10.0))


def wait(channel: Channel, seconds: float) -> None:
    """Let a channel alone for so long."""
    Channel.objects.filter(pk=channel.pk).update(not_before=Now() + timedelta(seconds=seconds))


def back_off(channel: Channel) -> float:
    """Let a channel alone, each time in a row for twice as long; the seconds."""
    doubled = _FIRST_PAUSE_SECONDS << min(channel.failures, 10)
    seconds = float(min(doubled, _LONGEST_PAUSE_SECONDS))
    channel.failures += 1
    Channel.objects.filter(pk=channel.pk).update(
        failures=channel.failures, not_before=Now() + timedelta(seconds=seconds)
    )
    return seconds


def worked(channel: Channel) -> None:
    """A call of a channel was accepted."""
    if channel.failures:
        channel.failures = 0
        Channel.objects.filter(pk=channel.pk).update(failures=0)
    TelegramBot.objects.filter(pk=1).exclude(problem="").update(problem="", not_before=None)


def park(channel: Channel, reason: str, *, migrated_to: str = "") -> bool:
    """Leave a channel to an operator; `True` where it was open before."""
    channel.problem, channel.migrated_to = reason, migrated_to
    columns = {
        "access": Channel.Access.PARKED,
        "problem": reason,
        "migrated_to": migrated_to,
        "checked_at": None,
        "not_before": Now() + _PARKED_FOR,
    }
    row = Channel.objects.filter(pk=channel.pk)
    is_new = row.exclude(access=Channel.Access.PARKED).update(**columns)
    if not is_new:
        row.update(**columns)
    return bool(is_new)


def check_again(channels: QuerySet[Channel]) -> int:
    """Have channels checked now, whatever stopped them; returns how many."""
    with transaction.atomic():
        audit.record(*(Change.of_row("ordered to check", channel) for channel in channels))
        return channels.update(checked_at=None, not_before=Now(), failures=0, opened_at=Now())


def park_bot(reason: str) -> bool:
    """Call Telegram no more for a while: it refuses the token. `True` where that is news."""
    secret = _current_token()
    row, _ = TelegramBot.objects.get_or_create(pk=1)
    is_new = row.fingerprint != token.fingerprint(secret) or not row.problem
    TelegramBot.objects.filter(pk=1).update(
        fingerprint=token.fingerprint(secret),
        problem=reason,
        not_before=Now() + timedelta(seconds=_LONGEST_PAUSE_SECONDS),
    )
    return is_new


def is_bot_parked() -> bool:
    """Whether Telegram refused the present token lately."""
    secret = _current_token()
    return TelegramBot.objects.filter(
        pk=1, fingerprint=token.fingerprint(secret), not_before__gt=Now()
    ).exists()


def _current_token() -> str:
    try:
        return token.current()
    except token.KeyRingError:
        return ""
