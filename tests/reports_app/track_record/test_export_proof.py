"""An export is proved without a database, and a forged one refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reports_app.models import RecordDay
from reports_app.track_record.export import track_record_as_json
from reports_app.track_record.export_proof import verify_export
from reports_app.track_record.proof import Proof, Published, verify
from reports_app.track_record.sealing import seal_days
from reports_app.track_record.violation import Violation
from signals_app.services.strategies import change_parameters
from tests.reports_app.track_record.records import (
    FRIDAY,
    stream_at,
)
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SELL_SIGNAL, bids
from tests.trades_app.rows import DAY_MS, stored_signal
from trades_app.lifecycle import machine
from trades_app.lifecycle.hash_chain import event_link
from trades_app.models import Trade
from trades_app.trading.events import close_signal, store_events

pytestmark = pytest.mark.django_db


def exported() -> dict[str, Any]:
    """The track record as a program reads it."""
    content: dict[str, Any] = json.loads(json.dumps(track_record_as_json()))
    return content


def test_an_export_proves_what_the_database_does_but_its_seals(record: None) -> None:
    (proof,) = verify()

    assert verify_export(exported(), [Published(FRIDAY, RecordDay.objects.get().digest)]) == [
        Proof(proof.instrument, proof.days, sealed=None)
    ]


def test_the_newest_signal_may_still_wait_for_its_trade(record: None) -> None:
    content = exported()
    content["trades"].pop()

    assert verify_export(content)[0].signals == 3


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
    record: None, forge: Callable[[dict[str, Any]], object], says: str
) -> None:
    content = exported()
    forge(content)

    with pytest.raises(Violation, match=says):
        verify_export(content, [Published(FRIDAY, RecordDay.objects.get().digest)])


def sealed_once() -> str:
    """Store a SELL that expired at its entry, linked as by 0.1.0; return Friday's digest."""
    change_parameters({"maximum_trade_hours": 1})
    sell = replace(SELL_SIGNAL, entry_price=2045.3)
    signal = stored_signal(sell)
    trade, events = machine.open_trade(sell, GOLD, ENTRY, signal.strategy.value())
    ticks = bids(2045.1)
    trade, more = machine.advance(trade, GOLD, replace(ticks, time_ms=ticks.time_ms + 3_600_000))
    row = Trade(signal=signal)
    row.fill(trade)
    row.save(force_insert=True)
    store_events(row, (*events, *more), first_number=1)
    close_signal(signal, trade)
    last = signal.record_hash
    for event in row.events.order_by("number"):
        signed = ["pips"] if event.kind == "EXPIRED" else []
        last = event.record_hash = event_link(
            last, signal.signal_id, event.number, event.value(), signed
        )
        event.save(update_fields=("record_hash",))
    stream_at(CLOSE_MS + DAY_MS)
    (day,) = seal_days("XAUUSD")
    return day.digest


def test_a_digest_that_was_published_with_a_negative_zero_is_found_in_an_export() -> None:
    digest = sealed_once()
    assert verify()[0].days[0].digest == digest
    content = exported()
    assert '"pips": 0.0' in json.dumps(content)

    assert verify_export(content)[0].days[0].digest != digest
    verify_export(content, [Published(FRIDAY, digest)])

    trade = content["trades"][0]
    for changed in (trade["events"][2], trade["partial_closes"][0]):
        changed["pips"] = 0.01
    with pytest.raises(Violation, match=f"^{digest} was noted on 2024-01-05 and is no digest"):
        verify_export(content, [Published(FRIDAY, digest)])
