"""Links cover what happened, and nothing of when or where it was written."""

from datetime import date

from signals_app.confluence.parameters import Parameters
from tests.trades_app.examples import ENTRY, GOLD, SIGNAL, bids
from trades_app.lifecycle import machine
from trades_app.lifecycle.hash_chain import day_digest, event_link


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
