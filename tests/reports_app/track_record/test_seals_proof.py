"""What is removed with its day, and what a day stood on, is missed all the same."""

from decimal import Decimal

import pytest

from reports_app.models import RecordDay, RecordPublication, RecordSeal
from reports_app.track_record.proof import verify
from reports_app.track_record.reporting import report
from reports_app.track_record.sealing import seal_days
from reports_app.track_record.violation import Violation
from signals_app.models import Decision, PriceCandle, Signal
from tests.reports_app.track_record.records import FRIDAY, LOST, WON, remove, stream_at
from tests.reports_app.track_record.test_evidence import QUARTER_MS, candle, decision, message
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import DAY_MS, numbered, stored_trade
from trades_app.models import Message

pytestmark = pytest.mark.django_db

LOSER = "XAU_20240108_001"


@pytest.fixture
def sealed() -> None:
    """Friday with a winner, Monday with a loser; both sealed, with what they stand on."""
    stored_trade(numbered(1), *WON)
    stored_trade(numbered(1, days=3), *LOST)
    for day in (0, 3):
        for quarter in (0, 1):
            candle(CLOSE_MS + day * DAY_MS + quarter * QUARTER_MS)
        decision(CLOSE_MS + day * DAY_MS, "SIGNAL")
        decision(CLOSE_MS + day * DAY_MS + QUARTER_MS)
        message(f"message {day}")
    stream_at(CLOSE_MS + 4 * DAY_MS)
    seal_days("XAUUSD")
    assert verify()[0].sealed == 2


def broken(match: str) -> None:
    with pytest.raises(Violation, match=match):
        verify()


def test_a_loser_that_was_cut_off_with_its_day_is_missed(sealed: None) -> None:
    Message.objects.filter(signal=LOSER).delete()
    remove(LOSER)
    RecordDay.objects.exclude(date=FRIDAY).delete()

    broken("2024-01-08 was sealed as the record's day 2 with the digest [0-9a-f]{64}: it, or a day")


def test_the_newest_digest_is_missed(sealed: None) -> None:
    RecordDay.objects.exclude(date=FRIDAY).delete()

    broken("2024-01-08 was sealed as the record's day 2")


def test_a_seal_that_was_removed_with_its_day_leaves_what_it_covered(sealed: None) -> None:
    Message.objects.filter(signal=LOSER).delete()
    remove(LOSER)
    RecordDay.objects.exclude(date=FRIDAY).delete()
    RecordSeal.objects.filter(number=2).delete()

    broken("seal 2 covers decisions or messages and was removed")


def test_a_decision_for_a_signal_that_is_gone_is_named(sealed: None) -> None:
    remove(LOSER)
    RecordDay.objects.exclude(date=FRIDAY).delete()
    RecordSeal.objects.filter(number=2).delete()
    for rows in (Decision.objects, Message.objects):
        rows.filter(record_seal=2).update(record_seal=None)

    broken("the close of 2024-01-08T14:30:00Z was decided for a signal, which was removed")


def test_removed_reports_are_missed() -> None:
    stored_trade(numbered(1), *LOST)
    stream_at(CLOSE_MS + DAY_MS)
    report("XAUUSD")
    digest = RecordDay.objects.get().digest
    assert verify()[0].sealed == 1
    assert RecordPublication.objects.get().digest == digest
    Message.objects.filter(kind="REPORT").delete()

    broken(f"^The report report:XAUUSD:day:2024-01-05 was published with {digest} and is gone")


def test_all_reports_and_all_seals_removed_leave_their_marks(sealed: None) -> None:
    RecordSeal.objects.all().delete()

    broken("seal 1 covers decisions or messages and was removed")


def test_a_day_without_a_seal_behind_sealed_ones_is_named(sealed: None) -> None:
    RecordSeal.objects.filter(number=2).delete()
    for rows in (Decision.objects, Message.objects):
        rows.filter(record_seal=2).update(record_seal=None)

    broken("2024-01-08 is the record's day 2 and has no seal")


def test_the_first_seal_cannot_be_left_out(sealed: None) -> None:
    RecordSeal.objects.filter(number=1).delete()
    for rows in (Decision.objects, Message.objects):
        rows.filter(record_seal=1).update(record_seal=None)

    broken("the seal of 2024-01-08 does not follow from the one before it")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda: Signal.objects.filter(pk=LOSER).update(probability=0.9), "probabilities"),
        (lambda: Signal.objects.filter(pk=LOSER).update(probability_of="H4"), "probabilities"),
        (lambda: Decision.objects.filter(outcome="BELOW").update(score=99), "decisions"),
        (lambda: Decision.objects.filter(outcome="BELOW").update(text="?"), "decisions"),
        (lambda: Decision.objects.filter(outcome="BELOW").delete(), "decisions"),
        (lambda: PriceCandle.objects.update(high=Decimal("2050.5")), "candles"),
        (lambda: PriceCandle.objects.last().delete(), "candles"),  # type: ignore[union-attr]
        (lambda: Message.objects.update(data={"pips": 2.5}), "messages"),
        (lambda: Message.objects.update(text="We said so."), "messages"),
        (lambda: Message.objects.last().delete(), "messages"),  # type: ignore[union-attr]
    ],
)
def test_what_a_day_stood_on_cannot_be_changed(sealed: None, change: object, part: str) -> None:
    change()  # type: ignore[operator]

    broken(f"^XAUUSD: the {part} up to 2024-01-0[58] are not those that were sealed")


def test_a_changed_seal_is_named(sealed: None) -> None:
    seal = RecordSeal.objects.get(number=2)
    RecordSeal.objects.filter(number=2).update(covered=seal.covered | {"more": {}})

    broken("the seal of 2024-01-08 was changed")


def test_what_came_of_a_message_is_no_part_of_it(sealed: None) -> None:
    Message.objects.update(status="SENT", telegram_message_id=5, attempts=3)

    assert verify()[0].sealed == 2


def test_days_that_an_earlier_version_sealed_need_no_seal() -> None:
    stored_trade(numbered(1), *LOST)
    stream_at(CLOSE_MS + DAY_MS)
    seal_days("XAUUSD")
    RecordSeal.objects.all().delete()
    assert verify()[0].sealed == 1

    stored_trade(numbered(1, days=3), *LOST)
    stream_at(CLOSE_MS + 4 * DAY_MS)
    seal_days("XAUUSD")

    assert RecordSeal.objects.get().number == 2
    assert verify()[0].sealed == 2


def test_a_day_whose_digest_was_removed_is_sealed_again_as_it_was(sealed: None) -> None:
    RecordDay.objects.exclude(date=FRIDAY).delete()
    assert len(seal_days("XAUUSD")) == 1

    assert verify()[0].sealed == 2
