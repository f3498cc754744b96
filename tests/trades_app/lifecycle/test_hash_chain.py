"""Links cover what happened, and nothing of when or where it was written."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from signals_app.confluence.hash_chain import link
from signals_app.confluence.parameters import Parameters
from signals_app.market.encoding import as_json
from tests.trades_app.examples import ENTRY, GOLD, SIGNAL, bids
from trades_app.lifecycle import machine
from trades_app.lifecycle.hash_chain import (
    Entry,
    day_digest,
    event_entries,
    event_link,
    event_links,
)


def test_an_event_is_linked_with_its_trade_and_its_place() -> None:
    trade, (opened, _) = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    _, (stopped, _) = machine.advance(trade, GOLD, bids(2039.0))

    mine = event_link("", SIGNAL.signal_id, 1, opened)
    assert event_link("", "XAU_20240105_002", 1, opened) != mine
    assert event_link("", SIGNAL.signal_id, 2, opened) != mine
    assert event_link("", SIGNAL.signal_id, 1, stopped) != mine


def test_a_days_digest_covers_every_link_in_order() -> None:
    day = date(2024, 1, 5)
    mine = day_digest("", "XAUUSD", day, ["a", "b"])

    assert day_digest("", "XAUUSD", day, ["b", "a"]) != mine
    assert day_digest("", "XAUUSD", day, ["a"]) != mine
    assert day_digest("", "EURUSD", day, ["a", "b"]) != mine
    assert day_digest(mine, "XAUUSD", day, ["a", "b"]) != mine


def test_an_event_may_bear_the_link_of_a_version_that_signed_a_zero() -> None:
    _, (opened, _) = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    content = {"signal_id": SIGNAL.signal_id, "number": 1} | as_json(opened)
    earlier = link("", content | {"pips": -0.0})

    today, *others = event_links("", SIGNAL.signal_id, 1, opened)

    assert today == event_link("", SIGNAL.signal_id, 1, opened)
    assert earlier in others
    assert len(others) == 3, "profit, pips, or both"
    signal = Entry(SIGNAL.timestamp_ms, 10, SIGNAL.signal_id, 0, "")
    assert [entry.link for entry in event_entries(signal, [opened], [earlier])] == [earlier]
    assert [entry.link for entry in event_entries(signal, [opened], ["forged"])] == [today]


def test_no_other_value_passes_for_a_signed_zero() -> None:
    _, (opened, _) = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    possible = set(event_links("", SIGNAL.signal_id, 1, opened))
    cent = replace(opened, profit=Decimal("0.01"))
    lost = replace(opened, profit=Decimal("-0.01"), pips=Decimal("-0.01"))

    assert not possible & set(event_links("", SIGNAL.signal_id, 1, cent))
    assert list(event_links("", SIGNAL.signal_id, 1, lost)) == [
        event_link("", SIGNAL.signal_id, 1, lost)
    ]
