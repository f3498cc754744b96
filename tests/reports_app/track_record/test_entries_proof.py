"""Signals and trade events that were changed, removed, put in or back-dated are named."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from reports_app.models import RecordDay, RecordSeal
from reports_app.track_record.proof import verify
from reports_app.track_record.sealing import seal_days
from reports_app.track_record.violation import Violation
from signals_app.confluence.hash_chain import link
from signals_app.market.encoding import as_json
from signals_app.models import Instrument, Signal, StreamPosition
from tests.reports_app.track_record.records import (
    LOST,
    WON,
    stream_at,
)
from tests.trades_app.examples import CLOSE_MS, bids
from tests.trades_app.rows import DAY_MS, numbered, stored_trade
from trades_app.models import Trade, TradeEvent
from trades_app.trading.closing import order_close
from trades_app.trading.moving import move_trades

pytestmark = pytest.mark.django_db


def test_a_changed_signal_is_named(record: None) -> None:
    Signal.objects.filter(pk="XAU_20240105_001").update(stop_loss=2035)

    with pytest.raises(Violation, match=r"^Signal XAU_20240105_001 does not follow"):
        verify()


def test_a_changed_event_is_named(record: None) -> None:
    TradeEvent.objects.filter(trade__signal="XAU_20240105_001", kind="SL_HIT").update(price=2044)

    with pytest.raises(Violation, match=r"^Event 3 \(SL_HIT\) of XAU_20240105_001 does not follow"):
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

    with pytest.raises(Violation, match=f"^The trade of XAU_20240105_001 says {says}"):
        verify()


def test_another_rate_than_the_decisions_is_named(record: None) -> None:
    Trade.objects.filter(signal="XAU_20240105_001").update(rate=2)

    with pytest.raises(Violation, match="XAU_20240105_001 has another rate than its decision"):
        verify()


def test_a_broker_may_change_his_swap(record: None) -> None:
    Instrument.objects.filter(symbol="XAUUSD").update(swap_long_points=-30, swap_short_points=-5)

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

    with pytest.raises(
        Violation, match="XAU_20240108_001 was closed by hand, but nobody had ordered"
    ):
        verify()


def test_a_row_that_cannot_be_read_is_named(record: None) -> None:
    Trade.objects.filter(signal="XAU_20240105_001").update(direction="UP")

    with pytest.raises(Violation, match=r"^The trade of XAU_20240105_001 holds what nobody writes"):
        verify()


def test_an_instruments_new_contract_size_does_not_pass_for_a_new_result(record: None) -> None:
    Instrument.objects.filter(symbol="XAUUSD").update(contract_size=10)

    with pytest.raises(
        Violation, match=r"initial_risk .* a setting of its strategy or instrument was changed"
    ):
        verify()


def test_a_signal_says_whether_its_trade_runs(record: None) -> None:
    Signal.objects.filter(pk="XAU_20240108_001").update(status="CLOSED")

    with pytest.raises(Violation, match="Signal XAU_20240108_001 says CLOSED, its trade ACTIVE"):
        verify()


def test_a_trade_that_was_hidden_before_its_day_was_sealed_is_verified() -> None:
    trade = stored_trade(numbered(1), *LOST)
    Trade.objects.filter(pk=trade.pk).update(instrument="EURUSD")
    stream_at(CLOSE_MS + DAY_MS)
    (sealed,) = seal_days("XAUUSD")
    assert sealed.events == 4
    trade.events.filter(kind="SL_HIT").update(profit=999)

    with pytest.raises(Violation, match=r"^Event 3 \(SL_HIT\) of XAU_20240105_001"):
        verify()


def test_a_loss_that_was_removed_is_missed(record: None) -> None:
    TradeEvent.objects.filter(trade__signal="XAU_20240105_001").delete()
    with pytest.raises(Violation, match=r"^The events of XAU_20240105_001 were removed\.$"):
        verify()
    Trade.objects.filter(signal="XAU_20240105_001").delete()

    with pytest.raises(Violation, match=r"^The trade of XAU_20240105_001 was removed\.$"):
        verify()
    Signal.objects.filter(pk="XAU_20240105_001").delete()
    with pytest.raises(Violation, match=r"^Signal XAU_20240105_002 does not follow"):
        verify()


def test_a_signal_cannot_be_put_in_later_under_an_earlier_date(record: None) -> None:
    stored_trade(numbered(9), *WON)

    with pytest.raises(Violation, match="XAU_20240105_009 does not follow"):
        verify()


def test_links_that_were_blanked_are_missed(record: None) -> None:
    Signal.objects.update(record_hash="")
    TradeEvent.objects.update(record_hash="")
    RecordDay.objects.all().delete()
    Trade.objects.filter(signal="XAU_20240105_001").update(profit_loss=5000)

    with pytest.raises(Violation, match=r"^Signal XAU_20240105_001 has no link"):
        verify()


def test_a_winner_without_a_link_cannot_be_put_before_the_first_signal(record: None) -> None:
    first = replace(numbered(1), signal_id="XAU_20240104_001")
    stored_trade(replace(first, timestamp_ms=CLOSE_MS - DAY_MS), *WON)
    Signal.objects.filter(pk=first.signal_id).update(record_hash="")
    TradeEvent.objects.filter(trade__signal=first.signal_id).update(record_hash="")

    with pytest.raises(Violation, match=r"^Signal XAU_20240104_001 has no link"):
        verify()


def test_an_event_without_a_link_is_named(record: None) -> None:
    TradeEvent.objects.filter(trade__signal="XAU_20240105_001", number=3).update(record_hash="")

    with pytest.raises(Violation, match=r"^Event 3 \(SL_HIT\) of XAU_20240105_001 has no link"):
        verify()


def seal_with_signed_zeros(signal_id: str) -> int:
    """Link a trade's events as an earlier version did: results of zero as -0.0; return how many."""
    last, signed = Signal.objects.get(pk=signal_id).record_hash, 0
    for event in TradeEvent.objects.filter(trade__signal=signal_id).order_by("number"):
        content = {"signal_id": signal_id, "number": event.number} | as_json(event.value())
        zeros = {name: -0.0 for name in ("profit", "pips") if not content[name]}
        signed += len(zeros)
        last = event.record_hash = link(last, content | zeros)
        event.save(update_fields=("record_hash",))
    return signed


def test_a_record_that_an_earlier_version_sealed_with_a_negative_zero_holds(record: None) -> None:
    RecordDay.objects.all().delete()
    RecordSeal.objects.all().delete()
    assert seal_with_signed_zeros("XAU_20240105_001") == 6
    assert seal_with_signed_zeros("XAU_20240108_001") == 4
    (sealed,) = seal_days("XAUUSD")

    (proof,) = verify()

    assert proof.days[0].digest == sealed.digest
    assert (proof.sealed, proof.signals, proof.events) == (1, 3, 12)


@pytest.mark.parametrize("changes", [{"profit": "0.01"}, {"pips": "-0.01"}, {"stop_loss": "2041"}])
def test_what_is_changed_beside_a_negative_zero_is_named(
    record: None, changes: dict[str, str]
) -> None:
    RecordDay.objects.all().delete()
    seal_with_signed_zeros("XAU_20240105_001")
    TradeEvent.objects.filter(trade__signal="XAU_20240105_001", number=4).update(**changes)

    with pytest.raises(Violation, match=r"^Event 4 \(CLOSED\) of XAU_20240105_001 does not follow"):
        verify()
