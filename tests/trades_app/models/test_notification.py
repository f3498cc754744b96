"""The outbox's rows: one worker claims each, and a signal's messages keep their order."""

from datetime import timedelta

import pytest
from django.utils import timezone

from signals_app.models import Signal
from trades_app.models import Message

pytestmark = pytest.mark.django_db


def message(key: str, signal: Signal | None = None, **columns: object) -> Message:
    return Message.objects.create(
        key=key, kind="TRADE", instrument="XAUUSD", signal=signal, text="x", **columns
    )


def test_what_is_due_comes_oldest_first_and_not_before_its_time() -> None:
    first, second = message("1"), message("2")
    message("3", not_before=timezone.now() + timedelta(minutes=1))
    message("4", status="SENT")

    assert list(Message.objects.due()) == [first, second]
    assert Message.objects.unsent().count() == 3


def test_a_message_is_claimed_by_one_worker() -> None:
    message("1")
    mine, theirs = Message.objects.get(), Message.objects.get()

    assert (Message.objects.claim(mine), Message.objects.claim(theirs)) == (True, False)
    assert (mine.attempts, theirs.attempts) == (1, 0)
    mine.refresh_from_db()
    assert (mine.status, mine.attempts) == ("SENDING", 1)


def test_a_claim_that_is_too_old_is_lost() -> None:
    claimed = message("1", status="SENDING", claimed_at=timezone.now() - timedelta(seconds=90))

    assert list(Message.objects.lost(timedelta(minutes=1))) == [claimed]
    assert list(Message.objects.lost(timedelta(minutes=2))) == []


def test_a_message_is_behind_those_of_its_signal_that_were_not_sent(signal: Signal) -> None:
    first, second, alone = message("1", signal), message("2", signal), message("3")
    assert (first.is_behind, second.is_behind, alone.is_behind) == (False, True, False)

    Message.objects.settle(first, status="SENT")

    assert not second.is_behind
