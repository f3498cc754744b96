"""Links cover what happened, and nothing of when or where it was written."""

from dataclasses import replace
from datetime import date

from signals_app.confluence.hash_chain import link, signal_link
from signals_app.confluence.parameters import Parameters
from tests.trades_app.examples import ENTRY, GOLD, SIGNAL, bids
from trades_app.lifecycle import machine
from trades_app.lifecycle.hash_chain import day_digest, event_link


def test_a_link_is_the_sha256_that_anybody_can_compute() -> None:
    # printf '\n{"a":1.5,"b":null}' | sha256sum
    first = link("", {"b": None, "a": 1.5})
    assert first == "3359b5b1592d84f587b22276b1673336aedf8fdbe671a5a804e0a77e933ed642"
    assert link(first, {"b": None, "a": 1.5}) != first


def test_a_signals_link_changes_with_any_of_its_numbers_and_with_what_is_before_it() -> None:
    mine = signal_link("", SIGNAL)

    assert signal_link("", replace(SIGNAL)) == mine
    assert signal_link("", replace(SIGNAL, stop_loss=2040.01)) != mine
    assert signal_link("", replace(SIGNAL, timestamp_ms=SIGNAL.timestamp_ms - 900_000)) != mine
    assert signal_link(mine, SIGNAL) != mine


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
