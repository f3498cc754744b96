"""Symbols in one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.market.symbols import (
    UnknownSymbol,
    find_instrument,
    is_list_of_symbols,
    listed_symbols,
    normalised_symbol,
    symbols_in,
)

KNOWN = {one.symbol: one for one in DEFAULT_INSTRUMENTS}


@given(st.sampled_from(sorted(KNOWN)), st.sampled_from(["", " ", "\t"]), st.booleans())
def test_letters_and_blanks_do_not_matter(symbol: str, blank: str, lower: bool) -> None:
    text = f"{blank}{symbol.lower() if lower else symbol}{blank}"
    assert find_instrument(text, KNOWN) is KNOWN[symbol]


def test_an_instrument_may_have_small_letters_of_its_own() -> None:
    known = {"EURUSDm": KNOWN["EURUSD"], **KNOWN}
    assert find_instrument("EURUSDm", known) is find_instrument("eurusdM", known)
    assert find_instrument("EURUSDm", known) is known["EURUSDm"]
    with pytest.raises(UnknownSymbol, match=r"\(is EURUSDm meant\?\)"):
        find_instrument("EURUSDmm", known)


@pytest.mark.parametrize(
    "text", ["", " ", "XAU USD", "XAU/USD", "X" * 21, "XAUUSD\n;", "XAU\u0394"]
)
def test_what_cannot_be_a_symbol_is_refused(text: str) -> None:
    with pytest.raises(UnknownSymbol, match="is no symbol; give letters and digits") as refused:
        normalised_symbol(text)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(("text", "near"), [("XAUUSD.m", "XAUUSD"), ("EURUSD#", "EURUSD")])
def test_a_near_name_is_proposed_and_never_taken(text: str, near: str) -> None:
    with pytest.raises(UnknownSymbol) as refused:
        find_instrument(text, KNOWN)
    assert str(refused.value) == (
        f"{text.upper()} is no instrument that is known here (is {near} meant?); known are "
        "XAUUSD, EURUSD, GBPUSD, USDCAD."
    )
    with pytest.raises(UnknownSymbol, match="BTCUSD is no instrument that is known here; known"):
        find_instrument("BTCUSD", {"XAUEUR": KNOWN["XAUUSD"]})


def test_a_list_of_symbols_has_each_once_in_its_order() -> None:
    assert listed_symbols(" XAUUSD,EURUSD.r, XAUUSD,") == ["XAUUSD", "EURUSD.r"]


@pytest.mark.parametrize("text", ["", ",", "XAUUSD,EUR USD", "XAU\u0394", "X" * 21])
def test_a_list_with_anything_else_is_refused_whole(text: str) -> None:
    with pytest.raises(UnknownSymbol, match=r"are no symbols: use e\.g\. XAUUSD,EURUSD") as refused:
        listed_symbols(text)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("listed", "found", "is_list"),
    [
        (["XAUUSD", "EURUSD.r"], {"XAUUSD", "EURUSD.r"}, True),
        ([], set(), True),
        (["XAUUSD", 7, None, ["EURUSD"], "x y"], {"XAUUSD"}, False),
        ("XAUUSD", set(), False),
        ({"XAUUSD": 1}, set(), False),
        (None, set(), False),
    ],
)
def test_of_a_list_by_hand_what_is_no_symbol_counts_nothing(
    listed: object, found: set[str], is_list: bool
) -> None:
    assert symbols_in(listed) == found
    assert is_list_of_symbols(listed) is is_list
