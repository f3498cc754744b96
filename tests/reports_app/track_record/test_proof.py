"""The track record holds as a whole, and what was published belongs to it."""

import datetime as dt

import pytest

from reports_app.track_record.proof import Published, verify
from reports_app.track_record.violation import Violation
from signals_app.models import Signal
from tests.reports_app.track_record.records import (
    FRIDAY,
    LOST,
    MONDAY,
    WON,
    remove,
    remove_seals,
)
from tests.trades_app.rows import numbered, stored_trade
from trades_app.models import Message, Trade, TradeEvent

pytestmark = pytest.mark.django_db


def test_a_record_that_nobody_touched_holds(record: None) -> None:
    (proof,) = verify()

    assert (proof.instrument, proof.signals, proof.events, proof.sealed) == ("XAUUSD", 3, 12, 1)
    assert [day.date for day in proof.days] == [FRIDAY, MONDAY]
    assert proof.head == Published(MONDAY, proof.days[1].digest)


def test_the_same_ticks_give_the_same_head(record: None) -> None:
    (first,) = verify()
    remove_seals()
    TradeEvent.objects.all().delete()
    Trade.objects.all().delete()
    Signal.objects.all().delete()

    stored_trade(numbered(1), *LOST)
    stored_trade(numbered(2), *WON)
    stored_trade(numbered(1, days=3))

    (again,) = verify()
    # Sealed or not, the days are chained alike.
    assert (again.days, again.sealed) == (first.days, 0)


def test_what_was_published_belongs_to_the_record_or_it_is_broken(published: str) -> None:
    head = verify()[0].head
    # Of a week's report: the last day with entries up to its end.
    noted = (Published(FRIDAY, published), Published(dt.date(2024, 1, 7), published), head)
    assert verify(noted)[0].head == head

    for signal_id in ("XAU_20240108_001", "XAU_20240105_002"):
        remove(signal_id)
    remove_seals()
    Message.objects.all().delete()

    verify()
    with pytest.raises(Violation, match=f"^{published} was noted on 2024-01-05 and is no digest"):
        verify(noted)


def test_a_head_that_was_noted_while_its_day_went_on_stays_good() -> None:
    stored_trade(numbered(1))
    early = verify()[0].head
    stored_trade(numbered(2), *WON)
    later = verify()[0].head
    stored_trade(numbered(3), *LOST)
    assert early.digest != later.digest

    verify([early, later])

    remove("XAU_20240105_003")
    remove("XAU_20240105_002")
    verify([early])
    with pytest.raises(Violation, match=later.digest):
        verify([later])
