"""Closes decided in candle order; what makes no signal says why."""

import pytest

from signals_app.models import Decision, Instrument, Signal
from signals_app.services.decisions import decide_closes
from tests.signals_app.services.closes import stored_close

pytestmark = pytest.mark.django_db


def told(decision: Decision) -> tuple[str, str, str]:
    decision.refresh_from_db()
    return decision.outcome, decision.reason, decision.text


def test_a_cross_without_dollars_is_refused_and_its_next_closes_are_decided() -> None:
    Instrument.objects.create(
        symbol="EURGBP",
        pip=0.1,
        contract_size=100,
        digits=2,
        signal_prefix="EGB",
        default_spread=0.3,
        quote_currency="GBP",
    )
    closes = [stored_close(symbol="EURGBP", quarters=quarters) for quarters in range(2)]

    assert decide_closes("EURGBP") is None

    refusal = ("REFUSED", "NO_RATE", "EURGBP is quoted in GBP: there is no rate to USD")
    assert [told(decision) for decision in closes] == [refusal, refusal]
    assert not Signal.objects.exists()
