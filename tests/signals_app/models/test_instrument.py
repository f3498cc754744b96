"""What an operator may enter as an instrument."""

import pytest
from django.core.exceptions import ValidationError

from signals_app.models import Instrument

pytestmark = pytest.mark.django_db


def instrument(symbol: str, **options: object) -> Instrument:
    sizes = {"pip": 0.0001, "contract_size": 100_000, "digits": 5, "default_spread": 0.0001}
    return Instrument(symbol=symbol, signal_prefix="ANY", **{**sizes, **options})


def refusal(of: Instrument) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        of.full_clean()
    return refused.value.message_dict


@pytest.mark.parametrize(
    ("symbol", "currency"),
    [
        ("AUDUSD", "USD"),
        ("USDJPY", "JPY"),
        ("USDJPY", "jpy"),
        ("USDJPY.m", "JPY"),
        ("US500", "USD"),
        ("COPPER", "USD"),
    ],
)
def test_what_has_dollars_on_one_side_can_be_traded(symbol: str, currency: str) -> None:
    instrument(symbol, quote_currency=currency).full_clean()


@pytest.mark.parametrize(
    ("symbol", "currency"), [("EURGBP", "GBP"), ("XAUEUR", "EUR"), ("NIKKEI", "JPY")]
)
def test_what_is_quoted_in_another_currency_can_be_traded(symbol: str, currency: str) -> None:
    instrument(symbol, quote_currency=currency).full_clean()


def test_a_currency_that_nobody_knows_is_refused() -> None:
    (text,) = refusal(instrument("COCOA", quote_currency="XYZ"))["quote_currency"]

    assert text.startswith("COCOA is quoted in XYZ, which is no currency known here: say in the")


@pytest.mark.parametrize(
    ("symbol", "currency"), [("USDJPY", "JPY"), ("EURGBP", "GBP"), ("EURGBP.m", "GBP")]
)
def test_a_pair_left_in_dollars_by_mistake_is_refused(symbol: str, currency: str) -> None:
    assert refusal(instrument(symbol)) == {
        "quote_currency": [f"{symbol} is quoted in {currency}, not in USD."]
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lot_step", 0),
        ("minimum_lot", 0),
        ("contract_size", 0),
        ("digits", 6),
        ("default_spread", -1),
        ("pip", 0),
    ],
)
def test_what_nothing_can_be_reckoned_with_is_refused(name: str, value: float) -> None:
    assert set(refusal(instrument("AUDUSD", **{name: value}))) == {name}


def test_the_channel_is_put_right_or_refused() -> None:
    row = instrument("AUDUSD", telegram_channel="https://t.me/gold ")
    row.clean()
    assert row.telegram_channel == "@gold"

    (text,) = refusal(instrument("AUDUSD", telegram_channel="gold!"))["telegram_channel"]
    assert "names no Telegram chat" in text
