"""The built-in instruments: one table, which documentation and connector repeat."""

from pathlib import Path

import pytest

from mt5_bridge.files.price_form import PRICE_FORMS, PriceForm
from mt5_bridge.sources.simulated.market import PROFILES
from signals_app.market.built_in import BUILT_IN, guessed_instrument, known_instrument, pair_of

PAGE = Path(__file__).parents[3] / "docs" / "domain" / "instruments.md"
_DAYS = {2: "Wednesday", 4: "Friday"}


def test_the_page_shows_every_instrument_as_it_is() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ") and line[2].isupper()
    ]
    assert rows == [
        [
            one.symbol,
            f"{one.pip:g}",
            f"{one.contract_size:,}",
            str(one.digits),
            one.quote_currency,
            one.signal_prefix,
            f"{one.default_spread:.{one.digits}f}",
            _DAYS[one.triple_swap_day],
            "" if one.maximum_spread_pips is None else f"{one.maximum_spread_pips:g}",
        ]
        for one in BUILT_IN.values()
    ]


def test_the_connector_reads_candles_as_the_server_does() -> None:
    assert {
        symbol: PriceForm(one.digits, one.default_spread) for symbol, one in BUILT_IN.items()
    } == PRICE_FORMS


def test_every_instrument_can_be_made_up() -> None:
    assert PROFILES.keys() == BUILT_IN.keys()
    assert {symbol: PROFILES[symbol].digits for symbol in PROFILES} == {
        symbol: one.digits for symbol, one in BUILT_IN.items()
    }


def test_no_two_instruments_share_a_prefix() -> None:
    assert len({one.signal_prefix for one in BUILT_IN.values()}) == len(BUILT_IN)


@pytest.mark.parametrize("symbol", [one for one in BUILT_IN if pair_of(one)])
def test_a_pair_is_quoted_in_its_last_letters(symbol: str) -> None:
    assert BUILT_IN[symbol].quote_currency == symbol[3:]


@pytest.mark.parametrize(
    ("symbol", "known"),
    [
        ("XAUUSD", "XAUUSD"),
        ("XAUUSD.r", "XAUUSD"),
        ("XAUUSDm", "XAUUSD"),
        ("US500-F", "US500"),
        ("btcusd", "BTCUSD"),
        ("us30.cash", "US30"),
        ("GERMANY40", None),
        ("USDNOK", None),
    ],
)
def test_an_ending_of_a_broker_changes_nothing(symbol: str, known: str | None) -> None:
    found = known_instrument(symbol)
    assert (found.symbol if found else None) == known


@pytest.mark.parametrize(
    ("symbol", "currency", "pip"),
    [
        ("EURNOK", "NOK", 0.0001),
        ("SGDJPY", "JPY", 0.01),
        ("EURNOK.r", "NOK", 0.0001),
        ("WTI", "", 0.0001),
        ("XPTUSD", "", 0.0001),
    ],
)
def test_what_nobody_described_says_its_currency_by_its_letters_or_not_at_all(
    symbol: str, currency: str, pip: float
) -> None:
    guess = guessed_instrument(symbol)
    assert (guess.symbol, guess.quote_currency, guess.pip) == (symbol, currency, pip)
