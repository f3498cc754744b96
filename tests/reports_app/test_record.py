"""The record holds, and says where it does not."""

import datetime as dt
from io import StringIO
from unittest.mock import ANY

import pytest
from django.core.management import CommandError, call_command

from reports_app.models import RecordDay
from reports_app.services.record import Broken, Proof, days_to_seal, seal_days, verify
from signals_app.models import Decision, Signal, StreamPosition
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import DAY_MS, numbered, stored_trade
from trades_app.models import Trade, TradeEvent

pytestmark = pytest.mark.django_db

LOST, WON = (2039.0,), (2055.0, 2065.0)
FRIDAY, MONDAY = dt.date(2024, 1, 5), dt.date(2024, 1, 8)


def stream_at(time_ms: int) -> None:
    StreamPosition.objects.update_or_create(symbol="XAUUSD", defaults={"time_ms": time_ms})


@pytest.fixture
def record() -> None:
    """Friday: one lost, one won, sealed; Monday: one that runs."""
    stored_trade(numbered(1), *LOST)
    stored_trade(numbered(2), *WON)
    stored_trade(numbered(1, days=3))
    stream_at(CLOSE_MS + 3 * DAY_MS + 60_000)
    seal_days("XAUUSD")


def test_a_record_that_nobody_touched_holds(record: None) -> None:
    (proof,) = verify()

    assert proof == Proof("XAUUSD", signals=3, events=12, days=1, unlinked=0, head=ANY)
    assert len(proof.head) == 64


def test_the_same_ticks_give_the_same_head(record: None) -> None:
    (first,) = verify()
    RecordDay.objects.all().delete()
    TradeEvent.objects.all().delete()
    Trade.objects.all().delete()
    Signal.objects.all().delete()

    stored_trade(numbered(1), *LOST)
    stored_trade(numbered(2), *WON)
    stored_trade(numbered(1, days=3))

    (again,) = verify()
    # Sealed or not, the days are chained alike.
    assert (again.head, again.days) == (first.head, 0)


def test_a_changed_signal_is_named(record: None) -> None:
    Signal.objects.filter(pk="XAU_20240105_001").update(stop_loss=2035)

    with pytest.raises(Broken, match=r"^Signal XAU_20240105_001 does not follow"):
        verify()


def test_a_changed_event_is_named(record: None) -> None:
    TradeEvent.objects.filter(trade__signal="XAU_20240105_001", kind="SL_HIT").update(price=2044)

    with pytest.raises(Broken, match=r"^Event 3 \(SL_HIT\) of XAU_20240105_001 does not follow"):
        verify()


def test_a_changed_result_of_a_trade_is_named(record: None) -> None:
    Trade.objects.filter(signal="XAU_20240105_001").update(profit_loss=325)

    with pytest.raises(
        Broken, match=r"XAU_20240105_001 says profit_loss 325\.00, its events say -"
    ):
        verify()


def test_a_loss_that_was_removed_is_missed(record: None) -> None:
    TradeEvent.objects.filter(trade__signal="XAU_20240105_001").delete()
    Trade.objects.filter(signal="XAU_20240105_001").delete()

    with pytest.raises(Broken, match=r"^The trade of XAU_20240105_001 was removed\.$"):
        verify()
    Signal.objects.filter(pk="XAU_20240105_001").delete()
    with pytest.raises(Broken, match=r"^Signal XAU_20240105_002 does not follow"):
        verify()


def test_the_end_of_a_sealed_day_cannot_be_cut_off(record: None) -> None:
    for signal_id in ("XAU_20240108_001", "XAU_20240105_002"):
        TradeEvent.objects.filter(trade__signal=signal_id).delete()
        Trade.objects.filter(signal=signal_id).delete()
        Signal.objects.filter(pk=signal_id).delete()

    with pytest.raises(Broken, match="the digest of 2024-01-05 is not that of its 5 entries"):
        verify()


def test_a_signal_cannot_be_put_in_later_under_an_earlier_date(record: None) -> None:
    stored_trade(numbered(9), *WON)

    with pytest.raises(Broken, match="XAU_20240105_009 does not follow"):
        verify()


def test_a_removed_digest_is_missed(record: None) -> None:
    stream_at(CLOSE_MS + 4 * DAY_MS)
    seal_days("XAUUSD")
    assert verify()[0].days == 2
    RecordDay.objects.filter(date=FRIDAY).delete()

    with pytest.raises(Broken, match="2024-01-05 has entries but no digest"):
        verify()


def test_a_day_is_sealed_when_the_stream_is_behind_it() -> None:
    stored_trade(numbered(1), *LOST)
    assert days_to_seal("XAUUSD") == []
    stream_at(CLOSE_MS + 60_000)
    assert days_to_seal("XAUUSD") == []

    StreamPosition.objects.update(watermark_ms=CLOSE_MS + DAY_MS)

    assert [(row.date, row.signals, row.events) for row in seal_days("XAUUSD")] == [(FRIDAY, 1, 4)]
    assert seal_days("XAUUSD") == []


def test_a_day_waits_for_its_undecided_closes() -> None:
    stored_trade(numbered(1), *LOST)
    stream_at(CLOSE_MS + 3 * DAY_MS)
    close = Decision.objects.create(
        symbol="XAUUSD", close_time_ms=CLOSE_MS + 900_000, entry_ordinal=50
    )
    assert days_to_seal("XAUUSD") == []

    # The week's last close gets its entry tick after the weekend: too late for a signal.
    Decision.objects.filter(pk=close.pk).update(entry_ordinal=None)
    assert days_to_seal("XAUUSD") == [FRIDAY]


def test_the_command_says_what_holds_and_where_it_breaks(record: None) -> None:
    said = StringIO()
    call_command("verify_record", stdout=said)
    first, last = said.getvalue().splitlines()
    assert first.startswith("XAUUSD: 3 signals, 12 events, 1 days sealed; head ")
    assert last == "The record holds."

    Signal.objects.filter(pk="XAU_20240105_002").update(direction="SELL")
    with pytest.raises(CommandError, match=r"^BROKEN: Signal XAU_20240105_002") as broken:
        call_command("verify_record")
    assert broken.value.returncode == 1


def test_rows_from_before_the_record_are_counted_apart(record: None) -> None:
    Signal.objects.update(record_hash="")
    TradeEvent.objects.update(record_hash="")
    RecordDay.objects.all().delete()

    assert verify() == [Proof("XAUUSD", signals=0, events=0, days=0, unlinked=15, head="")]
