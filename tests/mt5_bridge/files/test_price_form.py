from pathlib import Path

import numpy as np
import pytest

from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.price_form import (
    PRICE_FORMS,
    PriceForm,
    SpreadForm,
    price_form,
    spread_form,
)

PATH = Path("XAUUSD.csv")
GOLD = PRICE_FORMS["XAUUSD"]


def form(spreads, decimals=2):
    return spread_form(GOLD, [np.array(spreads, dtype=np.float64)], decimals)


def test_what_is_given_comes_before_what_is_known_of_the_symbol():
    assert price_form(PATH, None, GOLD, None, None) == GOLD
    assert price_form(PATH, None, GOLD, 3, 0.5) == PriceForm(3, 0.5)
    with pytest.raises(MarketFileError, match="candles of GBPJPY; give the symbol's digits"):
        price_form(PATH, "GBPJPY", None, 3, None)


def test_whole_spreads_are_points_and_others_a_price():
    assert form([28, 30, np.nan]) == SpreadForm(0.01, 0.30, 0.29)
    assert form([0.28, 1]).unit == 1.0
    assert spread_form(GOLD, [], 0) == SpreadForm(1.0, 0.30)


def test_a_broker_with_more_decimals_has_smaller_points():
    assert form([280], decimals=3) == SpreadForm(0.001, 0.30, 0.28)
    assert form([28], decimals=0).unit == 0.01


def test_empty_spreads_are_the_default():
    assert form([28, np.nan]).in_price(np.array([28, np.nan]), 2).tolist() == [0.28, 0.30]
    assert spread_form(GOLD, [], 0).in_price(None, 2).tolist() == [0.30, 0.30]


@pytest.mark.parametrize(
    ("spreads", "sentence"),
    [
        ([28], "the spread column is in points of 0.01"),
        ([0.28, 0.3], "the spread column is in price"),
        ([280], "points of 0.01; ATTENTION: its median is 2.8, where 0.3 is usual for the symbol"),
        ([0], "points of 0.01; ATTENTION: its median is 0, where 0.3 is usual for the symbol"),
        ([], "the spread is 0.3"),
    ],
)
def test_a_spread_far_from_the_usual_one_is_said(spreads, sentence):
    assert form(spreads).describe().endswith(sentence)
