"""Figures as people read them."""

from decimal import Decimal

import pytest

from tests.trades_app.examples import GOLD
from trades_app.notifications.content import wording


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59.9, "0 min"), (360, "6 min"), (3599, "59 min"), (3600, "1 h 00 min"), (7380, "2 h 03 min")],
)
def test_a_duration_is_in_whole_minutes_and_hours(seconds: float, words: str) -> None:
    assert wording.duration(seconds) == words


def test_money_has_its_sign_before_the_currency() -> None:
    assert wording.signed_money(Decimal(-1325)) == "-$1,325.00"
    assert wording.signed_money(Decimal(0)) == "+$0.00"


def test_zeros_that_say_nothing_are_left_out() -> None:
    assert wording.short(Decimal("1200.50")) == "1,200.5"
    assert wording.short(95.0) == "95"
    assert wording.result(Decimal(-275), Decimal("-55.00")) == "-$275.00 (-55 pips)"


@pytest.mark.parametrize(
    ("language", "money", "price"),
    [
        ("EN", "-$1,325.50", "2,045.50"),
        ("DE", "-$1.325,50", "2.045,50"),
        ("FR", "-$1\u202f325,50", "2\u202f045,50"),
        ("CH", "-$1\u2019325.50", "2\u2019045.50"),
    ],
)
def test_numbers_are_written_in_the_language_of_the_chat(
    language: str, money: str, price: str
) -> None:
    with wording.numbers(language):
        assert wording.signed_money(Decimal("-1325.5")) == money
        assert wording.price(GOLD, 2045.5) == price
        assert wording.short(Decimal("0.50")) == ("0.5" if language in ("EN", "CH") else "0,5")
    assert wording.price(GOLD, 2045.5) == "2,045.50"
