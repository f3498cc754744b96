from pathlib import Path

import pytest

from mt5_bridge.files.broker_time import SERVER_EU, UTC_CLOCK
from mt5_bridge.files.text_files import TickFileError
from mt5_bridge.files.tick_layout import (
    PRICE_FORMS,
    PriceForm,
    describe,
    parse_header,
    price_form,
    with_spread,
)

PATH = Path("XAUUSD.csv")
CANDLES = "timestamp,open,high,low,close,spread"


def test_columns_are_found_by_every_name_that_they_go_by():
    for header in ("time_msc,bid,ask", "timestamp_ms;bid;ask", "<TIMESTAMP_MS>\t<BID>\t<ASK>"):
        layout = parse_header(PATH, header)
        assert layout.columns == {"timestamp_ms": 0, "bid": 1, "ask": 2}
        assert not layout.is_candles
    assert parse_header(PATH, CANDLES).is_candles


def test_only_plain_numbers_are_read_by_the_block():
    assert parse_header(PATH, "timestamp_ms,bid,ask").is_plain
    assert not parse_header(PATH, "timestamp,bid,ask").is_plain
    assert not parse_header(PATH, "timestamp_ms;bid;ask").is_plain


def test_a_header_without_time_or_prices_is_refused():
    for header in ("bid,ask", "timestamp_ms,bid", "timestamp,open,high,low"):
        with pytest.raises(TickFileError, match="the header must be"):
            parse_header(PATH, header)


def test_what_is_given_comes_before_what_is_known_of_the_symbol():
    gold = PRICE_FORMS["XAUUSD"]
    assert price_form(PATH, None, gold, None, None) == gold
    assert price_form(PATH, None, gold, 3, 0.5) == PriceForm(3, 0.5)
    with pytest.raises(TickFileError, match="candles of GBPJPY; give the symbol's digits"):
        price_form(PATH, "GBPJPY", None, 3, None)


def test_the_description_says_what_was_assumed():
    ticks, candles = parse_header(PATH, "timestamp,bid,ask"), parse_header(PATH, CANDLES)
    assert describe(ticks, UTC_CLOCK, "2024-01-05T12:00:00Z") == (
        "times are read as their own zone says"
    )
    assert describe(ticks, SERVER_EU, "2024-01-05 12:00:00") == (
        "times are taken for MT5 server time on European dates (Europe/Athens)"
    )
    in_points = with_spread(candles, PriceForm(2, 0.3), in_points=True)
    assert describe(in_points, UTC_CLOCK, "x").endswith("spread column is in points of 0.01")
