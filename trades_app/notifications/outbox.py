"""The outbox, the one door for messages: put in once, claimed by one worker, settled.

Whoever has something to say puts in what happened, in the transaction of its own rows.
`delivery` claims what is due, sends it and settles it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from signals_app.models import Signal
from signals_app.services import audit
from signals_app.services.audit import Change
from trades_app.models import Channel, ChannelDelivery, Message
from trades_app.notifications import channels, lanes
from trades_app.notifications.channels import Directory
from trades_app.notifications.telegram import bot
from trades_app.notifications.telegram.outcomes import Accepted

#: So often may a message stand in a chat at most, as answers about it got lost. Fewer would give
#: messages up that nobody got: in a storm with senders killed, one in ten thousand at three.
MAXIMUM_COPIES = 5
_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is about and who reads it; `instrument` is empty where it is about none."""

    instrument: str
    signal: Signal | None = None
    addressee: Message.Addressee = Message.Addressee.FOLLOWERS

    @classmethod
    def of_signal(cls, signal: Signal) -> "Subject":
        """A signal and its trade: later messages answer the first one."""
        return cls(signal.instrument, signal)

    @classmethod
    def for_operators(cls, instrument: str = "") -> "Subject":
        """Something that only operators have to know."""
        return cls(instrument, addressee=Message.Addressee.OPERATORS)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be put in.

    `key` names the event, `data` is a value of the kind's own type (see `content`). A digest in it
    gets a column of its own. `happened_at` is the event's own time, `None`: now.
    """

    kind: Message.Kind
    subject: Subject
    key: str
    data: Any
    happened_at: datetime | None = None


def put(
    kind: Message.Kind,
    subject: Subject,
    key: str,
    data: Any,
    *,
    happened_at: datetime | None = None,
) -> bool:
    """Put one message in, with the rows of this transaction; `False` where the key was known."""
    row = _row(Draft(kind, subject, key, data, happened_at))
    columns = ("kind", "addressee", "instrument", "signal", "data", "digest", "happened_at")
    values = {column: getattr(row, column) for column in columns}
    _, is_new = Message.objects.get_or_create(key=key, defaults=values)
    if is_new:
        _wake_on_commit()
    return is_new


def put_all(drafts: Sequence[Draft]) -> None:
    """Put several messages in at once, in this order; those whose key was known are left out."""
    if drafts:
        Message.objects.bulk_create(map(_row, drafts), ignore_conflicts=True)
        _wake_on_commit()


def known(keys: Collection[str]) -> set[str]:
    """Those of the keys that have a message."""
    return set(Message.objects.filter(key__in=keys).values_list("key", flat=True))


def waiting(channel: Channel) -> ChannelDelivery | None:
    """The oldest message that waits for a channel; `None`: none does."""
    rows = ChannelDelivery.objects.filter(channel=channel, status=ChannelDelivery.Status.WAITING)
    return rows.select_related("message__signal", "channel").order_by("message").first()


def claim(delivery: ChannelDelivery) -> bool:
    """Note that a message is being sent, before it is; `False` where it is not to be any more.

    For whoever has the channel's lease: nobody else claims for it, so the order stays.
    """
    waiting_now = ChannelDelivery.objects.filter(
        pk=delivery.pk, status=ChannelDelivery.Status.WAITING
    )
    claimed = waiting_now.update(
        status=ChannelDelivery.Status.SENDING, claimed_at=Now(), attempts=F("attempts") + 1
    )
    delivery.attempts += 1
    return bool(claimed)


def lost(channel: Channel) -> list[ChannelDelivery]:
    """What was being sent into a channel when the worker that had its lease died."""
    sending = ChannelDelivery.objects.filter(channel=channel, status=ChannelDelivery.Status.SENDING)
    return list(sending.select_related("message", "channel").order_by("message"))


def settle_sent(delivery: ChannelDelivery, accepted: Accepted, card_digest: str = "") -> None:
    """A claimed message was accepted by Telegram; ``card_digest``: a card that is to be edited."""
    is_settled = _settle(
        delivery,
        status=ChannelDelivery.Status.SENT,
        telegram_message_id=accepted.message_id,
        has_picture=accepted.has_picture,
        sent_at=timezone.now(),
        copies=F("copies") + 1,
        card=ChannelDelivery.CardState.LIVE if card_digest else ChannelDelivery.CardState.NONE,
        card_digest=card_digest,
        error="",
    )
    if is_settled and delivery.channel.audience != Channel.Audience.MIRROR:
        Message.objects.filter(pk=delivery.message_id).update(
            telegram_message_id=accepted.message_id, sent_at=timezone.now()
        )
    _sum_up(delivery)


def settle_failed(delivery: ChannelDelivery, reason: str) -> None:
    """A claimed message will never be accepted; it stays with the reason."""
    _settle(delivery, status=ChannelDelivery.Status.FAILED, error=reason)
    _sum_up(delivery)


def settle_skipped(delivery: ChannelDelivery, reason: str) -> None:
    """A claimed message is too old to be sent as new; an operator may send it anyway."""
    _settle(delivery, status=ChannelDelivery.Status.SKIPPED, error=reason)
    _sum_up(delivery)


def settle_waiting(delivery: ChannelDelivery, reason: str) -> None:
    """A claimed message was not accepted: it waits, at its place, for its channel's next turn."""
    _settle(delivery, status=ChannelDelivery.Status.WAITING, error=reason)
    _sum_up(delivery)


def settle_unconfirmed(delivery: ChannelDelivery, reason: str) -> bool:
    """The answer about a claimed message got lost; `True` where it is to be sent once more.

    It may stand in the chat as often as `MAXIMUM_COPIES`; then it is left to an operator.
    """
    delivery.copies += 1
    again = delivery.copies < MAXIMUM_COPIES
    status = ChannelDelivery.Status.WAITING if again else ChannelDelivery.Status.UNCONFIRMED
    _settle(delivery, status=status, copies=delivery.copies, error=reason)
    _sum_up(delivery)
    return again


def send_again(messages: QuerySet[Message]) -> int:
    """Have those sent that failed, were skipped or are in doubt, and waiting ones now.

    They are sent whatever their age; returns how many messages.
    """
    directory, chosen = Directory(), []
    for message in messages.exclude(status=Message.Status.SENT):
        if not message.deliveries.exists():
            ChannelDelivery.objects.bulk_create(
                [
                    ChannelDelivery(message=message, channel=channel, is_forced=True)
                    for channel in directory.of(message, asked=True)
                ],
                ignore_conflicts=True,
            )
        chosen.append(message.pk)
    repeatable = (*ChannelDelivery.REPEATABLE, ChannelDelivery.Status.WAITING)
    again = ChannelDelivery.objects.filter(message__in=chosen, status__in=repeatable)
    channel_ids = set(again.values_list("channel", flat=True))
    found = Message.objects.filter(pk__in=again.values("message"))
    with transaction.atomic():
        chosen_rows = list(found.only("pk", "key", "status").order_by("pk"))
        audit.record(
            *(
                Change.of_row(
                    "ordered to send again",
                    message,
                    before={"status": message.status},
                    after={"status": Message.Status.WAITING, "message": message.key},
                )
                for message in chosen_rows
            )
        )
        ids = [message.pk for message in chosen_rows]
        again.update(
            status=ChannelDelivery.Status.WAITING, attempts=0, copies=0, error="", is_forced=True
        )
        Message.objects.filter(pk__in=ids).update(
            status=Message.Status.WAITING, routed_at=Now(), error="", attempts=0
        )
        Channel.objects.filter(pk__in=channel_ids).update(not_before=Now(), failures=0)
    return len(ids)


def _settle(delivery: ChannelDelivery, **columns: Any) -> bool:
    """Settle a delivery as claimed or read; `False` where another worker claimed it meanwhile."""
    claimed = ChannelDelivery.objects.filter(
        pk=delivery.pk, status__in=ChannelDelivery.UNSENT, attempts=delivery.attempts
    )
    return bool(claimed.update(claimed_at=None, **columns))


def _sum_up(delivery: ChannelDelivery) -> None:
    """Bring a message's own row up to what became of all its deliveries."""
    rows = ChannelDelivery.objects.filter(message=delivery.message_id)
    of = ChannelDelivery.Status
    found = list(rows.values_list("status", "error", "attempts", "channel__audience"))
    counted = [row for row in found if row[3] != Channel.Audience.MIRROR] or found
    states = {status for status, *_ in counted}
    if states & {of.WAITING, of.SENDING}:
        status = Message.Status.WAITING
    elif states & {of.FAILED, of.UNCONFIRMED}:
        status = Message.Status.FAILED
    else:
        status = Message.Status.SENT if of.SENT in states else Message.Status.SKIPPED
    Message.objects.filter(pk=delivery.message_id).update(
        status=status,
        error=next((error for _, error, *_ in counted if error), ""),
        attempts=max((attempts for _, _, attempts, _ in counted), default=0),
    )


def unsent() -> int:
    """How many deliveries can still be made: neither their channel nor the bot is parked."""
    if not bot.is_configured() or lanes.is_bot_parked():
        return 0
    of_open = ChannelDelivery.objects.filter(
        status__in=ChannelDelivery.UNSENT, channel__is_active=True
    ).exclude(channel__access=Channel.Access.PARKED)
    return of_open.count() + _to_route()


def _to_route() -> int:
    channels.sync()
    directory = Directory()
    # Those that no channel takes are soon skipped: more need not be looked at here.
    unrouted = Message.objects.unrouted()[:_LOOKED_AT] if directory else ()
    return sum(bool(directory.of(message)) for message in unrouted)


_deliver: Callable[[], object] | None = None


def deliver_by(start: Callable[[], object]) -> None:
    """Name what starts a delivery: a task, which is known above this package only."""
    global _deliver
    _deliver = start


def wake() -> None:
    """Start a delivery now; whether there is a bot is known where it runs."""
    if _deliver is not None:
        _deliver()


def _row(draft: Draft) -> Message:
    data = msgspec.to_builtins(draft.data)
    return Message(
        key=draft.key,
        kind=draft.kind,
        addressee=draft.subject.addressee,
        instrument=draft.subject.instrument,
        signal=draft.subject.signal,
        digest=data.pop("digest", ""),
        data=data,
        happened_at=draft.happened_at or timezone.now(),
    )


def _wake_on_commit() -> None:
    # What gets no task is found by the next sweep.
    transaction.on_commit(wake, robust=True)
