"""The record holds, and says where it does not."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from reports_app.models import RecordDay
from reports_app.track_record.proof import Broken, Published, verify
from reports_app.track_record.reporting import report
from reports_app.track_record.sealing import seal_days
from signals_app.models import Instrument, Signal, StreamPosition
from tests.trades_app.examples import CLOSE_MS, bids
from tests.trades_app.rows import DAY_MS, numbered, stored_trade
from trades_app.models import Message, Trade, TradeEvent
from trades_app.trading.closing import order_close
from trades_app.trading.moving import move_trades

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


def remove(signal_id: str) -> None:
    TradeEvent.objects.filter(trade__signal=signal_id).delete()
    Trade.objects.filter(signal=signal_id).delete()
    Signal.objects.filter(pk=signal_id).delete()


def test_a_record_that_nobody_touched_holds(record: None) -> None:
    (proof,) = verify()

    assert (proof.instrument, proof.signals, proof.events, proof.sealed) == ("XAUUSD", 3, 12, 1)
    assert [day.date for day in proof.days] == [FRIDAY, MONDAY]
    assert proof.head == Published(MONDAY, proof.days[1].digest)


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
    assert (again.days, again.sealed) == (first.days, 0)


def test_a_changed_signal_is_named(record: None) -> None:
    Signal.objects.filter(pk="XAU_20240105_001").update(stop_loss=2035)

    with pytest.raises(Broken, match=r"^Signal XAU_20240105_001 does not follow"):
        verify()


def test_a_changed_event_is_named(record: None) -> None:
    TradeEvent.objects.filter(trade__signal="XAU_20240105_001", kind="SL_HIT").update(price=2044)

    with pytest.raises(Broken, match=r"^Event 3 \(SL_HIT\) of XAU_20240105_001 does not follow"):
        verify()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"profit_loss": 325}, r"profit_loss 325\.00, its signal and events say -325\.00"),
        ({"profit_loss_pips": 5000}, r"profit_loss_pips 5000\.00, .* -65\.00"),
        ({"initial_risk": 1}, r"initial_risk 1\.00, .* 275\.00"),
        ({"direction": "SELL"}, "direction SELL, .* BUY"),
        ({"instrument": "EURUSD"}, "instrument EURUSD, .* XAUUSD"),
        ({"initial_stop_loss": 2045}, "initial_stop_loss 2045"),
        ({"take_profit_1": 2046}, "take_profit_1 2046"),
        ({"take_profit_2": 2046}, "take_profit_2 2046"),
        ({"partial_closes": []}, "partial_closes"),
        ({"expires_at": None}, "expires_at_ms None"),
        ({"costs": {"slippage": "9"}}, "costs"),
        ({"exit_time": None}, "exit_time_ms None"),
        ({"lots": 50}, r"lots 50\.00, .* 0\.50"),
        ({"zone_top": 2000}, "zone_top 2000"),
    ],
    ids=lambda changes: next(iter(changes)) if isinstance(changes, dict) else "",
)
def test_whatever_is_changed_in_a_trades_row_is_named(
    record: None, changes: dict[str, Any], says: str
) -> None:
    Trade.objects.filter(signal="XAU_20240105_001").update(**changes)

    with pytest.raises(Broken, match=f"^The trade of XAU_20240105_001 says {says}"):
        verify()


def test_a_close_by_hand_is_verified_with_its_order(record: None) -> None:
    running = Trade.objects.get(signal="XAU_20240108_001")
    last_ms = CLOSE_MS + 3 * DAY_MS + 60_000
    StreamPosition.objects.update(ordinal=20, time_ms=last_ms)
    order_close(running.pk, dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    verify()

    ticks = bids(2047.0, first_ordinal=21)
    move_trades("XAUUSD", replace(ticks, time_ms=ticks.time_ms * 0 + last_ms + 1000))
    assert verify()[0].events == 14
    Trade.objects.filter(pk=running.pk).update(close_after_ordinal=21)

    with pytest.raises(Broken, match="XAU_20240108_001 was closed by hand, but nobody had ordered"):
        verify()


def test_a_row_that_cannot_be_read_is_named(record: None) -> None:
    Trade.objects.filter(signal="XAU_20240105_001").update(direction="UP")

    with pytest.raises(Broken, match=r"^The trade of XAU_20240105_001 holds what nobody writes"):
        verify()


def test_an_instruments_new_contract_size_does_not_pass_for_a_new_result(record: None) -> None:
    Instrument.objects.filter(symbol="XAUUSD").update(contract_size=10)

    with pytest.raises(
        Broken, match=r"initial_risk .* a setting of its strategy or instrument was changed"
    ):
        verify()


def test_a_signal_says_whether_its_trade_runs(record: None) -> None:
    Signal.objects.filter(pk="XAU_20240108_001").update(status="CLOSED")

    with pytest.raises(Broken, match="Signal XAU_20240108_001 says CLOSED, its trade ACTIVE"):
        verify()


def test_a_trade_that_was_hidden_before_its_day_was_sealed_is_verified() -> None:
    trade = stored_trade(numbered(1), *LOST)
    Trade.objects.filter(pk=trade.pk).update(instrument="EURUSD")
    stream_at(CLOSE_MS + DAY_MS)
    (sealed,) = seal_days("XAUUSD")
    assert sealed.events == 4
    trade.events.filter(kind="SL_HIT").update(profit=999)

    with pytest.raises(Broken, match=r"^Event 3 \(SL_HIT\) of XAU_20240105_001"):
        verify()


def test_a_loss_that_was_removed_is_missed(record: None) -> None:
    TradeEvent.objects.filter(trade__signal="XAU_20240105_001").delete()
    with pytest.raises(Broken, match=r"^The events of XAU_20240105_001 were removed\.$"):
        verify()
    Trade.objects.filter(signal="XAU_20240105_001").delete()

    with pytest.raises(Broken, match=r"^The trade of XAU_20240105_001 was removed\.$"):
        verify()
    Signal.objects.filter(pk="XAU_20240105_001").delete()
    with pytest.raises(Broken, match=r"^Signal XAU_20240105_002 does not follow"):
        verify()


def test_the_end_of_a_sealed_day_cannot_be_cut_off(record: None) -> None:
    for signal_id in ("XAU_20240108_001", "XAU_20240105_002"):
        remove(signal_id)

    with pytest.raises(Broken, match="the digest of 2024-01-05 is not that of its 5 entries"):
        verify()


def test_a_signal_cannot_be_put_in_later_under_an_earlier_date(record: None) -> None:
    stored_trade(numbered(9), *WON)

    with pytest.raises(Broken, match="XAU_20240105_009 does not follow"):
        verify()


def test_a_removed_digest_is_missed(record: None) -> None:
    stream_at(CLOSE_MS + 4 * DAY_MS)
    seal_days("XAUUSD")
    assert verify()[0].sealed == 2
    RecordDay.objects.filter(date=FRIDAY).delete()

    with pytest.raises(Broken, match="2024-01-05 has entries but no digest"):
        verify()


def test_what_a_sealed_day_says_of_its_entries_is_checked(record: None) -> None:
    RecordDay.objects.update(signals=5)

    with pytest.raises(
        Broken, match=r"2024-01-05 says 5 signals and 10 events, .* covers 2 and 10"
    ):
        verify()


def test_links_that_were_blanked_are_missed(record: None) -> None:
    Signal.objects.update(record_hash="")
    TradeEvent.objects.update(record_hash="")
    RecordDay.objects.all().delete()
    Trade.objects.filter(signal="XAU_20240105_001").update(profit_loss=5000)

    with pytest.raises(Broken, match=r"^Signal XAU_20240105_001 has no link"):
        verify()


def test_a_winner_without_a_link_cannot_be_put_before_the_first_signal(record: None) -> None:
    first = replace(numbered(1), signal_id="XAU_20240104_001")
    stored_trade(replace(first, timestamp_ms=CLOSE_MS - DAY_MS), *WON)
    Signal.objects.filter(pk=first.signal_id).update(record_hash="")
    TradeEvent.objects.filter(trade__signal=first.signal_id).update(record_hash="")

    with pytest.raises(Broken, match=r"^Signal XAU_20240104_001 has no link"):
        verify()


def test_an_event_without_a_link_is_named(record: None) -> None:
    TradeEvent.objects.filter(trade__signal="XAU_20240105_001", number=3).update(record_hash="")

    with pytest.raises(Broken, match=r"^Event 3 \(SL_HIT\) of XAU_20240105_001 has no link"):
        verify()


@pytest.fixture
def told(record: None) -> str:
    """The digest of Friday, which followers were told."""
    report("XAUUSD")
    return RecordDay.objects.get(date=FRIDAY).digest


def test_a_record_agrees_with_its_reports(told: str) -> None:
    stream_at(CLOSE_MS + 30 * DAY_MS)
    report("XAUUSD")

    assert verify()[0].sealed == 2
    assert Message.objects.filter(kind="REPORT").count() == 5


def test_a_day_that_was_told_cannot_be_dropped_with_its_digest(told: str) -> None:
    RecordDay.objects.all().delete()
    remove("XAU_20240108_001")
    remove("XAU_20240105_002")

    with pytest.raises(Broken, match=f"told of the digest {told} at the end of 2024-01-05"):
        verify()
    remove("XAU_20240105_001")
    with pytest.raises(Broken, match="the record has nothing until then"):
        verify()


def test_a_report_whose_digest_was_taken_out_is_named(told: str) -> None:
    Message.objects.filter(key="report:XAUUSD:day:2024-01-05").update(digest="")

    with pytest.raises(Broken, match=r"^The report report:XAUUSD:day:2024-01-05 names no digest"):
        verify()


def test_what_was_published_belongs_to_the_record_or_it_is_broken(told: str) -> None:
    head = verify()[0].head
    # Of a week's report: the last day with entries up to its end.
    noted = (Published(FRIDAY, told), Published(dt.date(2024, 1, 7), told), head)
    assert verify(noted)[0].head == head

    for signal_id in ("XAU_20240108_001", "XAU_20240105_002"):
        remove(signal_id)
    RecordDay.objects.all().delete()
    Message.objects.all().delete()

    verify()
    with pytest.raises(Broken, match=f"^{told} was noted on 2024-01-05 and is no digest"):
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
    with pytest.raises(Broken, match=later.digest):
        verify([later])


@pytest.fixture
def export(record: None, tmp_path: Path) -> Callable[..., Path]:
    """Export the record, changed by ``forge``."""

    def write(forge: Callable[[dict[str, Any]], object] = lambda content: None) -> Path:
        printed = StringIO()
        call_command("export", json=True, stdout=printed)
        content = json.loads(printed.getvalue())
        forge(content)
        file = tmp_path / "export.json"
        file.write_text(json.dumps(content))
        return file

    return write


def verified(*arguments: object) -> list[str]:
    said = StringIO()
    call_command("verify_record", *map(str, arguments), stdout=said)
    return said.getvalue().splitlines()


def test_a_follower_checks_an_export_against_the_reports(export: Callable[..., Path]) -> None:
    head = verify()[0].head
    digest = RecordDay.objects.get().digest

    assert verified("--export", export(), "--expect", f"2024-01-05:{digest}") == [
        f"XAUUSD: 3 signals, 12 events, 2 days; head 2024-01-08:{head.digest}",
        f"It is the record that was published: 2024-01-05:{digest}",
        "The record holds.",
    ]
    assert verified("--export", export())[-1].startswith("The export agrees with itself; --expect")


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        pytest.param(
            lambda content: content["signals"][0].update(stop_loss=2030.0),
            "The trade of XAU_20240105_001 says initial_stop_loss 2040.0, its events say 2030.0",
            id="another stop",
        ),
        pytest.param(
            lambda content: content["trades"][0].update(profit_loss=5000.0),
            "The trade of XAU_20240105_001 says profit_loss 5000.0, its events say -325.0",
            id="another result",
        ),
        pytest.param(
            lambda content: (content["signals"].pop(0), content["trades"].pop(0)),
            "is no digest of this record",
            id="a loss left out",
        ),
        pytest.param(
            lambda content: content["trades"].pop(0),
            r"The trade of XAU_20240105_001 was removed\.",
            id="a trade left out",
        ),
        pytest.param(
            lambda content: content["signals"].pop(0),
            "A trade has no signal of its own",
            id="a signal left out",
        ),
        pytest.param(
            lambda content: content["trades"][0]["events"].pop(2),
            "The events of XAU_20240105_001 are no trade's life",
            id="an event left out",
        ),
        pytest.param(
            lambda content: content.pop("signals"),
            "This is no export of signals and trades",
            id="another file",
        ),
    ],
)
def test_a_forged_export_is_refused(
    export: Callable[..., Path], forge: Callable[[dict[str, Any]], object], says: str
) -> None:
    file = export(forge)

    with pytest.raises(CommandError, match=f"^BROKEN: .*{says}") as broken:
        verified("--export", file, "--expect", f"2024-01-05:{RecordDay.objects.get().digest}")
    assert broken.value.returncode == 1


def test_a_digest_is_expected_with_its_date() -> None:
    with pytest.raises(CommandError, match="write it as 2024-01-05:DIGEST"):
        verified("--expect", "a3f0")


def test_the_command_says_what_holds_and_where_it_breaks(record: None) -> None:
    first, last = verified()
    assert first.startswith("XAUUSD: 3 signals, 12 events, 1 days sealed; head 2024-01-08:")
    assert last == "The record holds."

    Signal.objects.filter(pk="XAU_20240105_002").update(direction="SELL")
    with pytest.raises(CommandError, match=r"^BROKEN: Signal XAU_20240105_002") as broken:
        call_command("verify_record")
    assert broken.value.returncode == 1
