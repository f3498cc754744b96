"""Closes that are still to be decided, and what refused the others."""

import pytest

from signals_app.market.tick import Tick
from signals_app.models import Analysis, Decision
from tests.trades_app.examples import CLOSE_MS

QUARTER = 900_000


def test_closes_are_named_by_their_times() -> None:
    close = {"instrument": "XAUUSD", "close_time_ms": CLOSE_MS}

    assert str(Decision(**close)) == "XAUUSD 2024-01-05T14:30:00Z PENDING"
    assert str(Analysis(timeframe="M15", **close)) == "XAUUSD M15 2024-01-05T14:30:00Z"


def test_a_close_is_entered_at_its_entry_tick() -> None:
    decision = Decision(
        entry_ordinal=77, entry_time_ms=CLOSE_MS + 250, entry_bid=2045.3, entry_ask=2045.5
    )

    assert decision.entry_tick() == Tick(77, CLOSE_MS + 250, 2045.3, 2045.5)


def test_a_close_whose_tick_did_not_come_has_none_to_be_entered_at() -> None:
    with pytest.raises(AssertionError):
        Decision(close_time_ms=CLOSE_MS).entry_tick()


@pytest.mark.django_db
def test_open_closes_are_those_of_the_symbol_that_wait_or_whose_trade_opens_in_order() -> None:
    for number, (symbol, outcome) in enumerate(
        (
            ("XAUUSD", Decision.Outcome.SIGNAL),
            ("XAUUSD", Decision.Outcome.OPENING),
            ("EURUSD", Decision.Outcome.PENDING),
            ("XAUUSD", Decision.Outcome.PENDING),
            ("XAUUSD", Decision.Outcome.BELOW),
        )
    ):
        Decision.objects.create(
            instrument=symbol, close_time_ms=CLOSE_MS + number * QUARTER, outcome=outcome
        )

    found = [decision.close_time_ms for decision in Decision.objects.open("XAUUSD")]

    assert found == [CLOSE_MS + QUARTER, CLOSE_MS + 3 * QUARTER]


@pytest.mark.django_db
def test_refusals_are_counted_by_symbol_and_reason() -> None:
    for number, (symbol, reason) in enumerate(
        (("XAUUSD", "ZONE_TRADED"), ("XAUUSD", "ZONE_TRADED"), ("EURUSD", "WARMING_UP"))
    ):
        Decision.objects.create(
            instrument=symbol,
            close_time_ms=CLOSE_MS + number * QUARTER,
            outcome=Decision.Outcome.REFUSED,
            reason=reason,
        )
    Decision.objects.create(instrument="XAUUSD", close_time_ms=CLOSE_MS + 4 * QUARTER)

    assert Decision.objects.refusals() == {
        ("XAUUSD", "ZONE_TRADED"): 2,
        ("EURUSD", "WARMING_UP"): 1,
    }
