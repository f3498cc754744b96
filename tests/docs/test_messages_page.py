"""The reference of messages: its example is what is sent, and its expressions read every card."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from signals_app.confluence.parameters import Parameters
from signals_app.market.built_in import BUILT_IN
from signals_app.market.instrument import Instrument
from tests.paths import ROOT
from tests.trades_app.examples import ENTRY, GOLD, SELL_SIGNAL, SIGNAL
from trades_app.lifecycle import machine
from trades_app.notifications.content import wording
from trades_app.notifications.content.signals import SignalAnnouncement, announcement_text

PAGE = (ROOT / "docs" / "reference" / "messages.md").read_text()
EXPRESSIONS = {
    name: expression.replace(r"\|", "|")
    for name, expression in re.findall(r"^\| ([a-z0-9, ]+) \| `(\^.*\$)` \|$", PAGE, re.MULTILINE)
}


def read(card: str) -> dict[str, str]:
    """Everything that the page's expressions find, each of them once."""
    found: dict[str, str] = {}
    for name, expression in EXPRESSIONS.items():
        matches = [*re.finditer(expression, card, re.MULTILINE)]
        assert len(matches) == 1, (expression, card)
        match = matches[0]
        assert not found.keys() & match.groupdict().keys(), name
        found |= match.groupdict()
    return found


def number(text: str, language: str = "EN") -> float:
    thousands, point = wording.NUMBERS[language]
    return float(text.replace("$", "").replace(thousands, "").replace(point, "."))


def test_the_example_is_what_is_sent() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    sent = announcement_text(SignalAnnouncement(SIGNAL, trade, GOLD, strategy="default v1"))
    example = re.search(r"^    📈 BUY.*?^    Current", PAGE, re.MULTILINE | re.DOTALL)
    assert example is not None
    shown = example[0].replace("\n    ", "\n").strip()

    # But for the last two, which say how the trade stands, and the order below.
    assert shown.partition("Progress")[0] == sent.partition("Progress")[0]


@pytest.mark.parametrize("language", wording.NUMBERS)
@pytest.mark.parametrize("signal", [SIGNAL, SELL_SIGNAL], ids=["buy", "sell"])
@pytest.mark.parametrize("instrument", BUILT_IN.values(), ids=lambda instrument: instrument.symbol)
def test_the_expressions_read_every_card(signal, instrument: Instrument, language: str) -> None:
    signal = replace(signal, instrument=instrument.symbol)
    trade, _ = machine.open_trade(signal, GOLD, ENTRY, Parameters())
    trade = replace(trade, rate=Decimal("1.1"))
    announced = SignalAnnouncement(
        signal, trade, instrument, is_simulated=True, found_late_seconds=90, strategy="a v2"
    )
    with wording.numbers(language):
        found = read(announcement_text(announced, (2046.0, 2046.2)))

    assert (found["side"], found["symbol"]) == (signal.direction, instrument.symbol)
    assert found["id"] == signal.signal_id
    assert found["time"] == "2024-01-05 14:30:00"
    for name, price in (
        ("entry", signal.entry_price),
        ("stop", signal.stop_loss),
        ("tp1", signal.take_profit_1),
        ("tp2", signal.take_profit_2),
    ):
        assert number(found[name], language) == pytest.approx(price, abs=10**-instrument.digits)
    assert number(found["money"], language) != 0
    assert 0 <= int(found["progress"]) <= 100
