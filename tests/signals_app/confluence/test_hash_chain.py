"""Links cover what was said, and nothing of when or where it was written."""

from dataclasses import replace

from signals_app.confluence.hash_chain import link, signal_link
from tests.trades_app.examples import SIGNAL


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
