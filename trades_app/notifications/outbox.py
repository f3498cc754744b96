"""The outbox, the one door for messages: put in once, claimed by one worker, settled.

Whoever has something to say puts in what happened, in the transaction of its own rows.
`delivery` claims what is due, sends it and settles it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from signals_app.models import Signal
from signals_app.services import audit
from signals_app.services.audit import Change
from trades_app.models import Message
from trades_app.notifications import channels
from trades_app.notifications.channels import Channels
from trades_app.notifications.telegram import bot

#: A worker that claimed a message and did not come back in this time died with it.
CLAIM_EXPIRES = timedelta(minutes=2)
#: How many due messages are looked at for one that nothing of its own signal holds up.
_LOOKED_AT = 20
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 2, 600


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
    gets a column of its own.
    """

    kind: Message.Kind
    subject: Subject
    key: str
    data: Any


def put(kind: Message.Kind, subject: Subject, key: str, data: Any) -> bool:
    """Put one message in, with the rows of this transaction; `False` where the key was known."""
    row = _row(Draft(kind, subject, key, data))
    columns = ("kind", "addressee", "instrument", "signal", "data", "digest")
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


def claim(chats: Channels) -> Message | None:
    """Claim the oldest message that is due and has a chat to go to, `None`: nothing to do.

    What stands behind an unsent message of the same signal waits for it.
    """
    due = chats.reached(Message.objects.due())
    for message in due.select_related("signal")[:_LOOKED_AT]:
        if not message.is_behind and Message.objects.claim(message):
            return message
    return None


def settle_sent(message: Message, telegram_message_id: int) -> None:
    """A claimed message was accepted by Telegram, which gave it this id."""
    Message.objects.settle(
        message,
        status=Message.Status.SENT,
        telegram_message_id=telegram_message_id,
        sent_at=timezone.now(),
        error="",
    )


def settle_failed(message: Message, reason: str) -> None:
    """A claimed message will never be accepted; it stays with the reason."""
    Message.objects.settle(message, status=Message.Status.FAILED, error=reason)


def settle_later(message: Message, reason: str, seconds: float | None = None) -> float:
    """A claimed message is to be tried again; returns after how many seconds.

    Without ``seconds`` each attempt waits twice as long as the one before, up to ten minutes.
    """
    pause = seconds or min(
        _FIRST_PAUSE_SECONDS * 2 ** (message.attempts - 1), _LONGEST_PAUSE_SECONDS
    )
    not_before = timezone.now() + timedelta(seconds=pause)
    Message.objects.settle(
        message, status=Message.Status.WAITING, not_before=not_before, error=reason
    )
    return pause


def release_lost_claims() -> int:
    """Give messages back whose worker died; returns how many."""
    return Message.objects.lost(CLAIM_EXPIRES).update(status=Message.Status.WAITING)


def send_again(messages: QuerySet[Message]) -> int:
    """Make those of the messages due that failed or wait to be tried again; returns how many."""
    waiting, failed = Message.Status.WAITING, Message.Status.FAILED
    with transaction.atomic():
        chosen = messages.filter(status__in=(waiting, failed)).select_for_update().order_by("pk")
        found = list(chosen.only("pk", "key", "status"))
        audit.record(
            *(
                Change.of_row(
                    "ordered to send again",
                    message,
                    before={"status": message.status},
                    after={"status": waiting, "message": message.key},
                )
                for message in found
            )
        )
        due = Message.objects.filter(pk__in=[message.pk for message in found])
        return due.update(status=waiting, not_before=Now(), attempts=0, error="")


def unsent() -> int:
    """How many messages could still be sent: those that have a chat to go to."""
    return channels.configured().reached(Message.objects.unsent()).count()


_deliver: Callable[[], object] | None = None


def deliver_by(start: Callable[[], object]) -> None:
    """Name what starts a delivery: a task, which is known above this package only."""
    global _deliver
    _deliver = start


def wake() -> None:
    """Start a delivery now, where there is a bot to deliver with."""
    if _deliver is not None and bot.is_configured():
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
    )


def _wake_on_commit() -> None:
    # What gets no task is found by the next sweep.
    transaction.on_commit(wake, robust=True)
